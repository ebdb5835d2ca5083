#pragma once

// What a client wants to stay on the TPM. It is a mark in the tables that eviction.h looks at, and
// it goes with the object, the session, or the session's ContextSave. Marks are few: with more of
// them than leave two slots free, commands of the others would find no room but in place of what is
// marked.

#include <cstdint>

#include "daemon/rm/state.h"
#include "proto/status.h"

namespace tbs::rm {

// Success; BadParameter: the context does not own this handle, or has saved the session;
// TooManyResources: no more may be marked, of all contexts.
proto::Status make_sticky(State& state, ContextId context, std::uint32_t handle, bool sticky);

}  // namespace tbs::rm
