#pragma once

// Whether to poll or to sleep while the loop has nothing to do. Sleeping and waking up takes longer
// than a software TPM needs for a short command; there polling for a moment is faster and costs no
// more. A chip takes milliseconds, and polling for it would be a waste: so polling goes on only as
// long as waits turn out short.
//
// Reading the clock costs a system call where the kernel does not trust the processor's counter, so
// once waits are long only some of them are measured.

#include "daemon/base/clock.h"

namespace tbs {

class BusyPoll {
 public:
  // How long one wait is polled before the loop sleeps; zero: never polls.
  explicit BusyPoll(Duration limit) : limit_(limit) {}

  // Whether the wait that comes now is to be polled or at least measured: ended() must be told.
  [[nodiscard]] bool measures() { return short_waits_ || ++unmeasured_ > kUnmeasured; }

  // Whether to look again, having waited for so long already.
  [[nodiscard]] bool goes_on(Duration waited) const { return short_waits_ && waited < limit_; }

  // A wait is over, polled or slept through. Sleeping adds the time that waking takes, so waits of
  // twice the limit count as short.
  void ended(Duration waited) {
    short_waits_ = waited < 2 * limit_;
    unmeasured_ = 0;
  }

 private:
  static constexpr unsigned kUnmeasured = 16;

  Duration limit_;
  bool short_waits_ = true;
  unsigned unmeasured_ = 0;
};

}  // namespace tbs
