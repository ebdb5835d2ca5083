#pragma once

// The TPM 2.0 commands that the device tests send.

#include <cstdint>

#include "proto/tpm/commands.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::test {

using tpm::create_primary_ecc;
using tpm::create_primary_rsa;
using tpm::evict_control;
using tpm::flush_context;
using tpm::get_random;
using tpm::read_public;

constexpr std::uint32_t kRcSuccess = TPM2_RC_SUCCESS;
constexpr std::uint32_t kRcInitialize = TPM2_RC_INITIALIZE;
constexpr std::uint32_t kRcCanceled = TPM2_RC_CANCELED;
constexpr std::uint32_t kRcLocality = TPM2_RC_LOCALITY;

inline proto::Buffer startup() {
  return tbs::tpm::build::startup(TPM2_SU_CLEAR);
}
inline proto::Buffer reset_pcr(std::uint32_t index) {
  return tpm::pcr_reset(index);
}

// No code of a TPM's when the bytes are no response.
inline std::uint32_t response_code(proto::Bytes response) {
  return tpm::code(response).value_or(~0U);
}
// The first handle of a response.
inline std::uint32_t response_handle(proto::Bytes response) {
  return tpm::handle(response);
}

}  // namespace tbs::test
