#pragma once

// Makes the tables agree with what the TPM holds: after a reset, after the device was away, after
// commands that remove objects by the dozen, and when the TPM contradicts the tables. Pure
// functions over the tables.

#include <string>

#include "daemon/rm/handle_lists.h"
#include "daemon/rm/state.h"

namespace tbs::rm {

struct Losses {
  std::size_t objects = 0;
  std::size_t sessions = 0;
};

// The TPM was reset: nothing that was loaded or saved can ever be used again.
Losses drop_everything(State& state);
// Nothing is loaded any more, but saved contexts may still be good.
Losses drop_loaded(State& state);

enum class Missing : std::uint8_t {
  Reload,  // a missing object is loaded again from its blob when it is needed
  Drop,    // a missing object was removed on purpose: its blob is dead too
};

// Applies the TPM's own lists. What the TPM holds and the tables do not know becomes a stray.
Losses reconcile(State& state, const HandleLists& lists, Missing missing);

// Sessions that are saved and unknown become strays: leftovers of an earlier run.
void adopt_unknown_saved_sessions(State& state, const HandleLists& lists);

// An object hierarchy was cleared or switched off: drops the evicted objects that belonged to it.
void drop_hierarchy(State& state, std::uint32_t hierarchy);

// What differs between the tables and the lists, in words; empty when nothing does.
std::string difference(State& state, const HandleLists& lists);

}  // namespace tbs::rm
