#pragma once

// What a failing device may have taken from users who did nothing wrong. Each loss that a user is
// told of must be one of these.

#include <cstdint>

#include "tests/sim/world.h"

namespace tbs::sim {

class Losses {
 public:
  // A response that could not be read had what was just being saved or loaded.
  static constexpr std::uint64_t kOfResponse = 1;
  // What was in the slots for objects and sessions when the device went away.
  static constexpr std::uint64_t kOfDevice = 6;

  void note_reset(Time now) { reset_ = now; }
  void allow(std::uint64_t count) { allowed_ += count; }
  // Whether something that was made then may have gone.
  bool take(Time made) {
    if (reset_ != 0 && made <= reset_) return true;
    if (allowed_ == 0) return false;
    --allowed_;
    return true;
  }

 private:
  Time reset_ = 0;
  std::uint64_t allowed_ = 0;
};

}  // namespace tbs::sim
