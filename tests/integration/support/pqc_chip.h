#pragma once

// A TPM with the commands for ML-KEM and ML-DSA of the library's version 1.85, and with buffers of
// 8 KiB, as a lie for a LyingTpm: what it lists, what handles its commands take and give, and the
// sizes are those of such a TPM; the keys and sequences behind them are others of the real TPM, and
// signatures and secrets are bytes of the right number.

#include <cstddef>
#include <cstdint>

#include "proto/byte_writer.h"
#include "tests/integration/support/lying_tpm.h"

namespace tbs::test::pqc {

inline constexpr std::uint32_t kVerifySequenceComplete = 0x1A3;
inline constexpr std::uint32_t kSignSequenceComplete = 0x1A4;
inline constexpr std::uint32_t kEncapsulate = 0x1A7;
inline constexpr std::uint32_t kDecapsulate = 0x1A8;
inline constexpr std::uint32_t kVerifySequenceStart = 0x1A9;
inline constexpr std::uint32_t kSignSequenceStart = 0x1AA;

inline constexpr std::uint32_t kBuffers = 8192;
// Of ML-DSA-87, and of a secret that ML-KEM-1024 has encapsulated.
inline constexpr std::size_t kSignature = 4627;
inline constexpr std::size_t kCiphertext = 1568;

LyingTpm::Lie chip();

// With empty authorizations.
proto::Buffer encapsulate(std::uint32_t key);
proto::Buffer decapsulate(std::uint32_t key, const proto::Buffer& ciphertext);
proto::Buffer sequence_start(std::uint32_t code, std::uint32_t key);
proto::Buffer sign_sequence_complete(std::uint32_t sequence, std::uint32_t key);
proto::Buffer verify_sequence_complete(std::uint32_t sequence, std::uint32_t key,
                                       const proto::Buffer& signature);

}  // namespace tbs::test::pqc
