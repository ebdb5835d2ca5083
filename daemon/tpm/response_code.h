#pragma once

// What a TPM 2.0 response code asks the resource manager to do, and responses of the daemon's own.
// Codes that the daemon makes itself carry the layer of the resource manager (tpm2-tss:
// TSS2_RESMGR_RC_LAYER) in bits 16 to 23; codes of the TPM are passed on as they are.

#include <cstdint>
#include <vector>

#include "proto/tpm/response_code.h"

namespace tbs::tpm {

// What a response code calls for.
enum class Remedy : std::uint8_t {
  None,         // final: success, or an error that is the client's
  Wait,         // send the same bytes again a little later
  FreeObject,   // evict an object, then send again
  FreeSession,  // evict a session, then send again
  FreeAny,      // evict an object or a session, then send again
  DropSession,  // give up an active session, then send again
  RefreshGap,   // load and save the oldest saved session, then send again
  CheckTables,  // something that should be loaded is not: look, then send again
  Start,        // the TPM was reset and wants to be started
};

Remedy remedy_of(std::uint32_t code);

// A response of nothing but a code, as a TPM sends on errors.
std::vector<std::uint8_t> bare_response(std::uint32_t code);

// The error response of the resource manager for `code` (without layer).
std::vector<std::uint8_t> refusal(std::uint32_t code);

}  // namespace tbs::tpm
