#pragma once

// A driver that gives up a command gives up its response: the TPM may be at work on it for as long
// as such a command may take. Until then the TPM is asked from time to time whether it is there
// again, and what waits goes on waiting.

#include <algorithm>
#include <chrono>
#include <optional>

#include "daemon/base/clock.h"

namespace tbs::sched {

class Recovery {
 public:
  // A command was given up, which may keep the TPM until then.
  void begin(TimePoint end) { end_ = std::max(end, end_.value_or(end)); }
  // The TPM did not take the question. False when it has had its time.
  bool ask_later(TimePoint now) {
    if (!end_ || now >= *end_) return false;
    ask_at_ = std::min(now + pause_, *end_);
    pause_ = std::min(pause_ * 2, kLongestPause);
    return true;
  }
  // It has answered, or nothing is expected of it any more.
  void end() { *this = {}; }

  // Nothing is sent to the TPM now.
  [[nodiscard]] bool holds(TimePoint now) const { return ask_at_ && now < *ask_at_; }
  [[nodiscard]] std::optional<TimePoint> ask_at() const { return ask_at_; }

 private:
  static constexpr std::chrono::milliseconds kLongestPause{2000};

  std::optional<TimePoint> end_;
  std::optional<TimePoint> ask_at_;
  std::chrono::milliseconds pause_{50};
};

}  // namespace tbs::sched
