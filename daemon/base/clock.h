#pragma once

// The core knows no clock: whoever calls it says what time it is.

#include <algorithm>
#include <chrono>
#include <optional>

namespace tbs {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

// Of two deadlines that may not be there.
constexpr std::optional<TimePoint> earliest(std::optional<TimePoint> one,
                                            std::optional<TimePoint> other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

}  // namespace tbs
