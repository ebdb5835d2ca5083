#pragma once

// Blocking calls one after another on a helper thread: however many clients ask, one thread works
// for them. The loop never waits.

#include <deque>
#include <utility>

#include "daemon/device/blocking_calls.h"

namespace tbs::firmware {

class SerialCalls {
 public:
  using Work = device::BlockingCalls::Work;
  using Then = device::BlockingCalls::Then;

  explicit SerialCalls(boost::asio::io_context& loop) : calls_(loop) {}

  // See BlockingCalls::run().
  void run(Work work, Then then) {
    waiting_.emplace_back(std::move(work), std::move(then));
    if (!std::exchange(busy_, true)) next();
  }

 private:
  void next() {
    auto [work, then] = std::move(waiting_.front());
    waiting_.pop_front();
    calls_.run(std::move(work), [this, done = std::move(then)]() mutable {
      if (done) done();
      busy_ = !waiting_.empty();
      if (busy_) next();
    });
  }

  std::deque<std::pair<Work, Then>> waiting_;
  bool busy_ = false;
  device::BlockingCalls calls_;
};

}  // namespace tbs::firmware
