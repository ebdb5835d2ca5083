#pragma once

// What the dispatcher knows of the machine's sleep, and the times that it keeps on the way there.

#include <algorithm>
#include <chrono>
#include <optional>

#include "daemon/base/clock.h"

namespace tbs::sched {

// How long the command on the TPM may take to end before it is cancelled.
inline constexpr std::chrono::milliseconds kSleepPatience{1000};
// When the machine is let go whatever still runs: logind waits for 5 s (InhibitDelayMaxSec).
inline constexpr std::chrono::milliseconds kSleepLimit{4000};
// A machine that has not slept by then does not sleep. The clock stands still while it does.
inline constexpr std::chrono::seconds kLongestNap{30};

struct Sleep {
  enum class Stage : unsigned char { Awake, FallingAsleep, Asleep };

  Stage stage = Stage::Awake;
  bool emptied = false;  // the TPM, on the way to Asleep
  TimePoint cancel_at;   // these are of the way there
  TimePoint limit;
  TimePoint wake_at;  // of Asleep

  void fall_asleep(TimePoint now) {
    *this = {.stage = Stage::FallingAsleep,
             .cancel_at = now + kSleepPatience,
             .limit = now + kSleepLimit};
  }
  void enter_suspend(TimePoint now) {
    *this = {.stage = Stage::Asleep, .wake_at = now + kLongestNap};
  }
  void wake_up() { *this = {}; }

  [[nodiscard]] bool awake() const { return stage == Stage::Awake; }
  [[nodiscard]] bool falling_asleep() const { return stage == Stage::FallingAsleep; }
  [[nodiscard]] bool asleep() const { return stage == Stage::Asleep; }
  // `cancellable`: something runs that could be cancelled.
  [[nodiscard]] std::optional<TimePoint> next_deadline(bool cancellable) const {
    if (awake()) return std::nullopt;
    if (asleep()) return wake_at;
    return cancellable ? std::min(cancel_at, limit) : limit;
  }
};

}  // namespace tbs::sched
