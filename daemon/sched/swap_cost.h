#pragma once

// What it costs to load and evict around a command, as measured, and what follows for the order of
// commands: while the front of the queue would need a swap, commands that need none go before it.
//
// The two bind each other. With L for a swap, W for a command, n clients with a key each and k
// commands between two swaps, the rate is kW / (kW + L) of the bare TPM's, and each client waits
// for about n (kW + L).

#include <algorithm>
#include <chrono>

#include "daemon/base/clock.h"

namespace tbs::sched {

// They do so for this many percent of the cost of a swap. Then a little more than half of the time
// at least is spent on commands, and nobody waits for much longer than if each had its turn.
inline constexpr unsigned kDefaultSwapSlice = 100;
// However slow the swaps are, this is how long one context waits for the others.
inline constexpr std::chrono::milliseconds kMaxSlice{1000};

class SwapCost {
 public:
  // Percent of the cost of a swap; 0: no slice, commands go strictly by turns.
  void set_slice(unsigned percent) { slice_ = percent; }

  // The steps around one command took this long; nothing is learnt of one that needed none.
  void learn(Duration swapping) {
    if (swapping == Duration::zero()) return;
    // A moving average: chips differ by a factor of a hundred, and keys by ten.
    constexpr int kWeight = 8;
    average_ = average_ == Duration::zero() ? swapping : average_ + (swapping - average_) / kWeight;
  }
  [[nodiscard]] Duration slice() const {
    return std::min<Duration>(average_ * slice_ / 100, kMaxSlice);
  }

 private:
  unsigned slice_ = kDefaultSwapSlice;
  Duration average_{};
};

}  // namespace tbs::sched
