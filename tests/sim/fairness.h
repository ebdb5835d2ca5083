#pragma once

// Whether users who always have commands waiting get the same share of the TPM, window by window.

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

  // All `users` are at work from now on, or none.
  void begin(const std::map<std::uint32_t, std::uint64_t>& users, Time now) {
    counts_ = users;
    for (auto& [uid, count] : counts_) count = 0;
    begun_ = now;
  }
  void end() { counts_.clear(); }
  void count(std::uint32_t uid) {
    const auto found = counts_.find(uid);
    if (found != counts_.end()) ++found->second;
  }
  // What is wrong with the window that has ended now, if one has.
  std::optional<std::string> look(Time now) {
    if (counts_.size() < 2 || now < begun_ + kWindow) return std::nullopt;
    const auto [least, most] =
        std::ranges::minmax_element(counts_, {}, [](const auto& each) { return each.second; });
    const std::uint64_t low = least->second;
    const std::uint64_t high = most->second;
    begin(counts_, now);
    // The commands cost from 90 to 140 ms each, and one may be under way.
    if (low * 3 / 2 + 4 >= high) return std::nullopt;
    return "a user had " + std::to_string(low) + " turns and another one " + std::to_string(high);
  }

 private:
  std::map<std::uint32_t, std::uint64_t> counts_;
  Time begun_ = 0;
};

}  // namespace tbs::sim
