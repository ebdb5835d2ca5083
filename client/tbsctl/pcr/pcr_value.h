#pragma once

// Values of PCRs: the algorithms of their banks, and what extending does to them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm/constants.h"

namespace tbs::ctl {

inline constexpr std::uint32_t kPcrCount = 24;
inline constexpr std::uint16_t kSha1Bank = TPM2_ALG_SHA1;

// "sha256" for a TPM_ALG_ID; "0x1234" for one that has no name here.
std::string bank_name(std::uint16_t algorithm);
// The other way round, also for names as "0x1234".
std::optional<std::uint16_t> bank_of(std::string_view name);

// Whether a dynamic launch resets and extends the PCR, so that firmware cannot.
constexpr bool is_dynamic_launch_pcr(std::uint32_t pcr) {
  return pcr >= 17 && pcr <= 22;
}

// The digest of bytes by the algorithm of a bank; nothing for an algorithm that is not known.
std::optional<proto::Buffer> bank_digest(std::uint16_t algorithm, proto::Bytes bytes);
// How many bytes it has.
std::optional<std::size_t> bank_digest_size(std::uint16_t algorithm);

// The digest of the old value and what is measured; nothing for an algorithm that is not known.
std::optional<proto::Buffer> pcr_extend(std::uint16_t algorithm, proto::Bytes value,
                                        proto::Bytes measured);

}  // namespace tbs::ctl
