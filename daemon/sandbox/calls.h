#pragma once

// Groups of system calls for filters.

#include "daemon/sandbox/filter.h"

namespace tbs::sandbox {

// What any C++ program needs that works with what it has open: memory, time, signals of its own,
// reading and writing, its end.
extern const Names kBasicCalls;
// Opening, replacing and removing files.
extern const Names kFileCalls;
// What only an attacker needs who has taken over a process: other programs, other processes'
// memory, other users, mounts, modules, programs for the kernel (bpf).
extern const Names kAttacks;
// Starting another program, and ending it: an attack, except in the process whose task that is.
extern const Names kStartOfPrograms;

// Memory as kBasicCalls leave it out: nothing that can be written is ever executed.
void allow_memory(Filter& filter);

}  // namespace tbs::sandbox
