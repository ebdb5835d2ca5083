#pragma once

// How long something took, as numbers of times by bounds: what a reader of metrics makes quantiles
// of. Counting costs a look through a few bounds.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "daemon/base/clock.h"

namespace tbs {

class Histogram {
 public:
  // From what a TPM in software takes for a random number to the longest deadline of a chip.
  static constexpr std::array<std::chrono::microseconds, 13> kBounds = {
      std::chrono::microseconds(100),        std::chrono::microseconds(300),
      std::chrono::microseconds(1'000),      std::chrono::microseconds(3'000),
      std::chrono::microseconds(10'000),     std::chrono::microseconds(30'000),
      std::chrono::microseconds(100'000),    std::chrono::microseconds(300'000),
      std::chrono::microseconds(1'000'000),  std::chrono::microseconds(3'000'000),
      std::chrono::microseconds(10'000'000), std::chrono::microseconds(30'000'000),
      std::chrono::microseconds(100'000'000)};
  // The last number is of those that took longer than all bounds.
  using Counts = std::array<std::uint64_t, kBounds.size() + 1>;

  void add(Duration took) {
    std::size_t place = 0;
    while (place < kBounds.size() && took > kBounds[place]) ++place;
    ++counts_[place];
    sum_ += took;
  }

  // Each number is of those between its bound and the one before.
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] Duration sum() const { return sum_; }
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t all = 0;
    for (const std::uint64_t count : counts_) all += count;
    return all;
  }

 private:
  Counts counts_{};
  Duration sum_{};
};

}  // namespace tbs
