#pragma once

// How waiting lifts what is passed over: by kLiftPerSecond priority steps for each second, and past
// kStarvationLimit to the very top, because priorities reach up to 2^32 and no lift could bridge
// that. It is always a whole level of priority that ages, never a single command: a long queue
// within one level is no reason to overtake a higher one.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "daemon/base/clock.h"

namespace tbs::sched {

// NORMAL (200) overtakes a flood of HIGH (300) once a second, LOW (100) every two seconds.
inline constexpr std::uint32_t kLiftPerSecond = 100;
inline constexpr std::chrono::seconds kStarvationLimit{10};

// Finds the level that is next. Levels in which somebody waits are offered in ascending order of
// priority, so that on a tie the higher one wins; there must be at least one.
template <typename Iterator>
class AgeingChoice {
 public:
  void offer(Iterator level, std::uint32_t priority, Duration passed_over) {
    const std::int64_t rank = rank_of(priority, passed_over);
    if (!offered_ || rank >= best_rank_) {
      best_ = level;
      best_rank_ = rank;
    }
    if (!offered_ || passed_over > longest_wait_) {
      longest_ = level;
      longest_wait_ = passed_over;
    }
    offered_ = true;
  }
  [[nodiscard]] Iterator chosen() const {
    return longest_wait_ > kStarvationLimit ? longest_ : best_;
  }

 private:
  // Priority and waiting time on one scale: microseconds of waiting that lift as far.
  static std::int64_t rank_of(std::uint32_t priority, Duration passed_over) {
    constexpr std::int64_t kMicrosecondsPerStep = 1'000'000 / kLiftPerSecond;
    return std::int64_t{priority} * kMicrosecondsPerStep +
           std::chrono::duration_cast<std::chrono::microseconds>(passed_over).count();
  }

  bool offered_ = false;
  Iterator best_{};
  Iterator longest_{};
  std::int64_t best_rank_ = 0;
  Duration longest_wait_{};
};

// A level in which nobody waits is kept for a while, because it knows who had how much time in it:
// clients that wait for each answer leave it empty between two commands.
inline constexpr std::chrono::seconds kEmptyLevelKept{10};
inline constexpr std::size_t kEmptyLevelsKept = 16;

template <typename Levels>
void drop_empty_levels(Levels& levels, TimePoint now) {
  const auto empty = [](const auto& level) { return level.second.turns.empty(); };
  const bool many =
      levels.size() > kEmptyLevelsKept &&
      static_cast<std::size_t>(std::ranges::count_if(levels, empty)) > kEmptyLevelsKept;
  std::erase_if(levels, [&](const auto& level) {
    return empty(level) && (many || now - level.second.served > kEmptyLevelKept);
  });
}

}  // namespace tbs::sched
