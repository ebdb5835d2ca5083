#pragma once

// What a TPM 2.0 says of its commands (TPM 2.0 Library, Part 2, "TPMA_CC"), for tests that play the
// TPM. The other attributes are those of tpm2-tss: TPMA_CC_RHANDLE, TPMA_CC_FLUSHED, ...

#include <cstdint>
#include <span>

#include "proto/byte_writer.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"

namespace tbs::test {

// So many in the command's handle area.
constexpr std::uint32_t handles(std::uint32_t count) {
  return count << TPMA_CC_CHANDLES_SHIFT;
}

// The response to TPM2_GetCapability of TPM_CAP_COMMANDS, with nothing left to list.
inline proto::Buffer commands_response(std::span<const std::uint32_t> attributes) {
  proto::Buffer parameters;
  proto::ByteWriter writer(parameters);
  writer.u8(TPM2_NO);
  writer.be32(tbs::tpm::cap::kCommands);
  writer.be32(static_cast<std::uint32_t>(attributes.size()));
  for (const std::uint32_t command : attributes) writer.be32(command);
  return proto::tpm_response(tbs::tpm::kTagNoSessions, tbs::tpm::rc::kSuccess, parameters);
}

}  // namespace tbs::test
