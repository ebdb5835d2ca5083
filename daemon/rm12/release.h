#pragma once

// Giving up keys and sessions for good. What of them is still in the TPM becomes a stray, which is
// flushed before the next command.

#include "daemon/rm12/state.h"

namespace tbs::rm12 {

// Also ends the sessions that are bound to it, where it is a key; sessions that the client has
// saved stay, for it may load the key again. A permanent key is forgotten and stays in the TPM.
void release(State& state, Resource& resource);

// The same for something that the TPM has lost: it is gone, and whoever has it is told so by the
// next answer.
void lose(State& state, Resource& resource, std::uint32_t code);

}  // namespace tbs::rm12
