#pragma once

// Groups of system calls for filters.

#include "daemon/sandbox/filter.h"

namespace tbs::sandbox {

// What any C++ program needs that works with what it has open: memory, time, signals of its own,
// reading and writing, its end.
extern const Names kBasicCalls;
// Opening, replacing and removing files.
extern const Names kFileCalls;
// What nobody needs who has not taken over a process: other programs, other processes' memory,
// other users, mounts, modules, the kernel's own programs.
extern const Names kAttacks;
// Starting another program. One of the attacks unless the process does that.
extern const Names kStartOfPrograms;

// Memory as kBasicCalls leave it out: nothing that can be written is ever executed.
void allow_memory(Filter& filter);

}  // namespace tbs::sandbox
