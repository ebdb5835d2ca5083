#pragma once

// The core knows no clock: whoever calls it says what time it is.

#include <chrono>

namespace tbs {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

}  // namespace tbs
