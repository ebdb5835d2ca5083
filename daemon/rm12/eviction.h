#pragma once

// Which key or session has to make room, as functions over the tables: strays first, then whatever
// was used least recently and is not needed by the command at hand. Sessions that are bound to a
// key pair leave the TPM before a key of that pair does, because the TPM would end them.

#include <optional>
#include <span>

#include "daemon/rm12/operation.h"
#include "daemon/rm12/state.h"

namespace tbs::rm12 {

using Pins = std::span<Resource* const>;  // what must stay loaded

// The next step towards having one loaded resource of this kind fewer. Empty when there is nothing
// to evict.
std::optional<Operation> evict(State& state, Kind kind, Pins pins);

// The next step towards `wanted` free slots, or empty: there are that many, or there is nothing
// left to evict.
std::optional<Operation> make_room(State& state, Kind kind, Pins pins, std::size_t wanted);

// The next step towards the stray being gone.
Operation clear(State& state, const Stray& stray);

// The session that makes room in the TPM's list of saved sessions: the least recently used of the
// user who has most sessions. Null when there is none.
Resource* session_to_drop(const State& state, Pins pins);

// The saved session whose place in the list is so old that it should be renewed; null when there is
// none.
Resource* session_to_renew(const State& state);

}  // namespace tbs::rm12
