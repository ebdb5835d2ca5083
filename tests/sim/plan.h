#pragma once

// What a run consists of, from its seed; shrinking takes from it.

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "tests/sim/kernel/node.h"
#include "tests/sim/world.h"

namespace tbs::sim {

enum class Kind : std::uint8_t {
  Honest,   // keys, sequences, sessions; what it has is what it was told
  Busy,     // always has commands waiting
  High,     // a command of high priority now and then
  Clumsy,   // never flushes, cancels, reads slowly, sends nonsense, leaves in the middle
  Counter,  // counts in NV
  Forking,  // its children inherit its keys
  Hostile,  // breaks the protocol, guesses handles, floods
};

struct UserPlan {
  Kind kind = Kind::Honest;
  std::uint64_t number = 0;  // its chance is its own
  std::uint32_t uid = 0;
};

struct Plan {
  std::uint64_t seed = 0;
  std::vector<UserPlan> users;
  Time length = kHour;
  std::uint64_t restarts = 0;  // how many, in all
  ChipPlan chip;
  bool small_gap = false;
  bool verify = false;  // the tables are compared with the TPM after each command
  ShareMode share = ShareMode::Idle;
  std::uint64_t slow_store = 0;
};

Plan plan_of(std::uint64_t seed);

}  // namespace tbs::sim
