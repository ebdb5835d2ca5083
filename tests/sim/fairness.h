#pragma once

// Whether users who always have commands waiting get the same time of the TPM, window by window,
// whatever they ask for and however many connections they have.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tests/sim/world.h"

namespace tbs::sim {

class Fairness {
 public:
  static constexpr Time kWindow = 20 * kSecond;
  // So far, who needs nothing loaded may overtake others.
  static constexpr Time kAhead = 1 * kSecond;

  // All `users` are at work from now on, or none.
  void begin(const std::map<std::uint32_t, Time>& users, Time now) {
    times_ = users;
    for (auto& [uid, time] : times_) time = 0;
    begun_ = now;
    longest_ = 0;
  }
  void end() { times_.clear(); }
  // A command of this user takes so long.
  void count(std::uint32_t uid, Time took) {
    const auto found = times_.find(uid);
    if (found == times_.end()) return;
    found->second += took;
    longest_ = std::max(longest_, took);
  }
  // What is wrong with the window that has ended now, if one has.
  std::optional<std::string> look(Time now) {
    if (times_.size() < 2 || now < begun_ + kWindow) return std::nullopt;
    const auto [least, most] =
        std::ranges::minmax_element(times_, {}, [](const auto& each) { return each.second; });
    const Time low = least->second;
    const Time high = most->second;
    // What is moved in and out for a command counts, too, and is not seen here. At either end of
    // the window one command may be under way, and one user be ahead.
    const bool fair = low * 3 / 2 + 2 * (longest_ + kAhead) >= high;
    begin(times_, now);
    if (fair) return std::nullopt;
    return "a user had " + std::to_string(low / kMillisecond) + " ms and another one " +
           std::to_string(high / kMillisecond);
  }

 private:
  std::map<std::uint32_t, Time> times_;
  Time begun_ = 0;
  Time longest_ = 0;
};

}  // namespace tbs::sim
