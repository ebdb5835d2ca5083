// One call of a library function that fails when somebody says so: what the interposer
// (failing_calls.c) and who steers it have in common, as memory of a file that both have mapped.
// failing_calls.py has the same layout.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { kSweepName = 32, kSweepFunctions = 126 };

// Instead of an errno value.
enum {
  kSweepShort = -1,  // a byte is read or written, and no more
  kSweepEnd = -2,    // nothing is read, as at the end of a file
};

struct SweepCount {
  char function[kSweepName];
  int32_t calls;
};

struct SweepState {
  char program[kSweepName];   // whose calls are counted and fail; empty: everybody's
  char function[kSweepName];  // which one fails; empty: none
  int32_t number;             // that call of it from now on, from 1; counted down
  int32_t times;              // how many calls fail
  int32_t fault;              // an errno value, or one of those above
  int32_t happened;           // how many have failed
  int32_t lock;               // of the table of counts
  struct SweepCount counts[kSweepFunctions];
};

// Of a program that has the interposer linked into it; else it maps the file that SWEEP_STATE
// names.
void sweep_use(struct SweepState* state);

#ifdef __cplusplus
}
#endif
