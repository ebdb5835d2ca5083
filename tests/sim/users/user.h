#pragma once

// Somebody who uses tbsd.

#include <cstdint>
#include <memory>

#include "tests/sim/plan.h"

namespace tbs::sim {

class Simulation;

class User {
 public:
  virtual ~User() = default;
  // The first thing it does, soon.
  virtual void begin() = 0;
  // Its part is over: it ends what it has under way and leaves.
  virtual void leave() = 0;
  // Whether everything that it was owed has come. Asked at the end.
  virtual void check_end() = 0;
  // Asked now and then.
  virtual void check_waits() {}
};

std::unique_ptr<User> make_user(Simulation& simulation, const UserPlan& plan);

}  // namespace tbs::sim
