#pragma once

// A TPM that has said that something is wrong with it is looked at, but not all the time: a client
// may have what it takes to make it say so.

#include <functional>

#include "daemon/base/alarm.h"
#include "daemon/base/clock.h"

namespace tbs {

class HealthCheck {
 public:
  static constexpr std::chrono::seconds kPause{1};

  // `look` is called from the alarm, no sooner than kPause after the last time.
  HealthCheck(Alarm& alarm, std::function<void()> look) : alarm_(alarm), look_(std::move(look)) {}

  // The TPM gives cause for a look.
  void doubt(TimePoint now);
  void cancel();

 private:
  Alarm& alarm_;
  std::function<void()> look_;
  bool waiting_ = false;
  TimePoint last_look_;
};

}  // namespace tbs
