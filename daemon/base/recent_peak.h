#pragma once

// The longest of what took time lately: in the last minute at least, and in the last two at most.
// Who asks changes nothing, so several may.

#include <algorithm>
#include <chrono>

#include "daemon/base/clock.h"

namespace tbs {

class RecentPeak {
 public:
  static constexpr std::chrono::seconds kWindow{60};

  void see(Duration took, TimePoint now) {
    if (now - since_ >= kWindow) {
      before_ = now - since_ < 2 * kWindow ? longest_ : Duration::zero();
      longest_ = Duration::zero();
      since_ = now;
    }
    longest_ = std::max(longest_, took);
  }
  [[nodiscard]] Duration at(TimePoint now) const {
    if (now - since_ >= 2 * kWindow) return Duration::zero();
    return now - since_ < kWindow ? std::max(before_, longest_) : longest_;
  }

 private:
  TimePoint since_;
  Duration longest_{};  // since then
  Duration before_{};   // in the window before
};

}  // namespace tbs
