#pragma once

// The few TPM 2.0 commands that the device tests send, as bytes.

#include <cstdint>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::test {

constexpr std::uint32_t kRcSuccess = 0;
constexpr std::uint32_t kRcInitialize = 0x100;
constexpr std::uint32_t kRcCanceled = 0x909;
constexpr std::uint32_t kRcLocality = 0x907;

proto::Buffer startup();
proto::Buffer get_random(std::uint16_t count);
// A primary storage key of the owner's hierarchy: RSA of so many bits, or P-256 for 0. `unique`
// makes it another key, since a primary key is made from the seed and the template alone.
proto::Buffer create_primary(std::uint16_t rsa_bits, std::uint32_t unique = 0);
proto::Buffer flush_context(std::uint32_t handle);
// Makes a loaded object persistent, or removes a persistent one when both handles are the same.
proto::Buffer evict_control(std::uint32_t object, std::uint32_t persistent);
proto::Buffer read_public(std::uint32_t handle);
// Extends the SHA-256 bank of PCR `index` by 32 zero bytes.
proto::Buffer extend_pcr(std::uint32_t index);
// Resets a PCR; which ones may be reset depends on the locality.
proto::Buffer reset_pcr(std::uint32_t index);

std::uint32_t response_code(proto::Bytes response);
// The first handle of a response.
std::uint32_t response_handle(proto::Bytes response);

}  // namespace tbs::test
