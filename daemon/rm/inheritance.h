#pragma once

// What the context of a forked child gets of its parent's: copies of the objects, under the same
// handles, charged to the child's user. An object never changes, so its saved context brings back
// one as good as the other; what was not saved yet is saved first, with the child's first command.
//
// Sequences and sessions change with each use, and their state can be in one place alone. They stay
// with the parent.

#include <optional>

#include "daemon/base/ids.h"
#include "daemon/rm/operation.h"
#include "daemon/rm/state.h"

namespace tbs::rm {

// See exec::Engine::inherit().
void note_heir(State& state, ContextId heir, ContextId from);

// Copies what can be copied. An object that has to be saved before that, or nothing: the context
// has all that it gets, as far as its limits go.
std::optional<Operation> next_of_inheritance(State& state, ContextId heir);
// The same without what would have to be saved.
void settle_inheritance(State& state, ContextId heir);

// The context is about to lose its objects. Its heirs get what is saved of them.
void end_inheritance(State& state, ContextId context);

}  // namespace tbs::rm
