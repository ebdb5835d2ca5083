#pragma once

// What it costs to load and evict around a command, as measured, and what follows for the order of
// commands: while the front of the queue would need a swap, commands that need none go before it.

#include <algorithm>
#include <chrono>

#include "daemon/base/clock.h"

namespace tbs::sched {

// They do so for this many times the cost of a swap: then swapping takes about a sixth of the time
// at most.
inline constexpr int kSliceInSwaps = 5;
// However slow the swaps are, this is how long one context waits for the others.
inline constexpr std::chrono::milliseconds kMaxSlice{1000};

class SwapCost {
 public:
  // The steps around one command took this long; nothing is learnt of one that needed none.
  void learn(Duration swapping) {
    if (swapping == Duration::zero()) return;
    // A moving average: chips differ by a factor of a hundred, and keys by ten.
    constexpr int kWeight = 8;
    average_ = average_ == Duration::zero() ? swapping : average_ + (swapping - average_) / kWeight;
  }
  [[nodiscard]] Duration slice() const {
    return std::min<Duration>(average_ * kSliceInSwaps, kMaxSlice);
  }

 private:
  Duration average_{};
};

}  // namespace tbs::sched
