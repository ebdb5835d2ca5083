#pragma once

// What TPM_GetCapability shows to a context: its own handles, and what is left of its own limits.
// The rest is the TPM's.

#include <optional>

#include "daemon/rm12/state.h"
#include "daemon/tpm12/capability.h"

namespace tbs::rm12 {

// The whole response, where it does not come from the TPM.
std::optional<proto::Buffer> capability_from_memory(const State& state, ContextId context,
                                                    const tpm12::CapabilityQuery& query);

}  // namespace tbs::rm12
