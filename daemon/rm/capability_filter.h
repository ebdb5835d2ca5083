#pragma once

// What TPM2_GetCapability shows to a context: its own handles instead of the TPM's, and limits
// that hold for it. Only for commands without sessions: the response to an authorized one carries
// an HMAC over what the TPM said, so it is passed on as it is.

#include <optional>

#include "daemon/base/ids.h"
#include "daemon/rm/state.h"
#include "proto/byte_writer.h"
#include "proto/tpm/capability.h"

namespace tbs::rm {

// The whole response where memory has it: lists of the context's transient objects and sessions,
// and fixed capabilities that were asked for before. Empty when the TPM must be asked.
std::optional<proto::Buffer> capability_from_memory(State& state, ContextId context,
                                                    const tpm::CapabilityQuery& query);

// Puts the context's own numbers into a successful response of the TPM to `query`, and remembers
// the response when it cannot change.
void filter_capability(State& state, ContextId context, const tpm::CapabilityQuery& query,
                       proto::Buffer& response);

}  // namespace tbs::rm
