#pragma once

// Which object or session has to make room, as pure functions over the tables: strays first, then
// whatever was used least recently and is not needed by the command at hand. What a client has made
// sticky comes last of all: rather than that a command cannot run, it goes too.

#include <cstdint>
#include <optional>
#include <span>

#include "daemon/rm/operation.h"
#include "daemon/rm/state.h"

namespace tbs::rm {

// What must stay loaded.
struct Pins {
  std::span<Object* const> objects;
  std::span<Session* const> sessions;
};

// The next step towards having one loaded object fewer. Empty when there is nothing to evict.
std::optional<Operation> evict_object(const State& state, const Pins& pins);
// The same for sessions.
std::optional<Operation> evict_session(State& state, const Pins& pins);

// How many slots what is loaded may take after a command, so that others find the rest free.
struct Kept {
  std::size_t objects;
  std::size_t sessions;
};
Kept kept_after_command(const State& state);

// The next step towards `wanted` free slots, or empty: there are that many, or there is nothing
// left to evict. Those that are to stay free for others are no free slots.
std::optional<Operation> make_object_room(const State& state, const Pins& pins, std::size_t wanted);
std::optional<Operation> make_session_room(State& state, const Pins& pins, std::size_t wanted);

}  // namespace tbs::rm
