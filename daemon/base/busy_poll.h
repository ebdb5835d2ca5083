#pragma once

// Whether to look again or to sleep, while the loop has nothing to do. To sleep and be woken takes
// longer than a TPM in software needs for a short command; there looking again for a moment is
// faster and no dearer. A chip takes milliseconds, and looking for it in vain would be a waste: so
// polling goes on only as long as waits turn out short.

#include "daemon/base/clock.h"

namespace tbs {

class BusyPoll {
 public:
  // How long one wait is polled before the loop sleeps; zero: never polls.
  explicit BusyPoll(Duration limit) : limit_(limit) {}

  // Whether to look again, having waited for so long already.
  [[nodiscard]] bool goes_on(Duration waited) const { return short_waits_ && waited < limit_; }

  // A wait is over, polled or slept through. Sleeping adds the time that waking takes, so waits of
  // twice the limit count as short.
  void ended(Duration waited) { short_waits_ = waited < 2 * limit_; }

 private:
  Duration limit_;
  bool short_waits_ = true;
};

}  // namespace tbs
