#pragma once

// The few TPM 2.0 commands that the device tests send beside those of all integration tests.

#include <cstdint>

#include "tests/integration/support/tpm_commands.h"

namespace tbs::test {

using tpm::create_primary_ecc;
using tpm::create_primary_rsa;
using tpm::flush_context;
using tpm::get_random;
using tpm::read_public;

constexpr std::uint32_t kRcSuccess = 0;
constexpr std::uint32_t kRcInitialize = 0x100;
constexpr std::uint32_t kRcCanceled = 0x909;
constexpr std::uint32_t kRcLocality = 0x907;

proto::Buffer startup();
// Makes a loaded object persistent, or removes a persistent one when both handles are the same.
proto::Buffer evict_control(std::uint32_t object, std::uint32_t persistent);
// Resets a PCR; which ones may be reset depends on the locality.
proto::Buffer reset_pcr(std::uint32_t index);

// No code of a TPM's when the bytes are no response.
inline std::uint32_t response_code(proto::Bytes response) {
  return tpm::code(response).value_or(~0U);
}
// The first handle of a response.
inline std::uint32_t response_handle(proto::Bytes response) {
  return tpm::handle(response);
}

}  // namespace tbs::test
