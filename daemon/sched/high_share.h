#pragma once

// How much TPM time a user may take ahead of others. Priorities above NORMAL are for short work
// that must not wait; a user who floods the TPM with them would leave the others one command a
// second. So they are honoured up to a share of the time, and count as NORMAL beyond it.

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "daemon/base/clock.h"

namespace tbs::sched {

inline constexpr std::uint32_t kPriorityNormal = 200;  // TBS_COMMAND_PRIORITY_NORMAL

// Percent of the TPM's time that one user may take above NORMAL while others wait.
inline constexpr unsigned kDefaultHighShare = 25;

class HighShare {
 public:
  [[nodiscard]] bool available(TimePoint now, unsigned percent) const {
    return percent >= 100 || at(now, percent) > Duration::zero();
  }
  void spend(Duration took, TimePoint now, unsigned percent) {
    left_ = std::max<Duration>(at(now, percent) - took, -kMost);
    since_ = now;
  }
  template <typename Record>
  void fields(Record& record) {
    record(left_, since_);
    if (Record::kReads) left_ = std::clamp<Duration>(left_, -kMost, kMost);
  }

  // Whether there is nothing to remember.
  [[nodiscard]] bool full(TimePoint now, unsigned percent) const {
    return at(now, percent) == Duration{kMost};
  }

 private:
  // What can be spent at once after a quiet time, and what can be overdrawn by one long command.
  static constexpr std::chrono::seconds kMost{2};

  [[nodiscard]] Duration at(TimePoint now, unsigned percent) const {
    // Longer than this fills it in any case; keeps the product small.
    const Duration passed =
        std::min<Duration>(std::max(now - since_, Duration::zero()), std::chrono::hours(1));
    return std::min<Duration>(left_ + passed * percent / 100, kMost);
  }

  Duration left_ = kMost;
  TimePoint since_;
};

}  // namespace tbs::sched
