#include "daemon/server/turn_runner.h"

#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>

namespace tbs::server {
namespace {

// After this the loop looks at its descriptors and timers: short enough for a command of another
// account, which comes by here three times, and long enough for the look not to cost more.
constexpr std::chrono::microseconds kSlice{150};

// Of each window, this much may be spent on turns that are given at once. A loop with more to do
// than that is busy, and turns wait for each other.
constexpr std::chrono::milliseconds kWindow{1};
constexpr std::chrono::microseconds kTurnsAtOnce{300};

TimePoint now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

void TurnRunner::want(AccountId account, std::shared_ptr<TurnTaker> taker) {
  const TimePoint start = now();
  gap_.note(start);
  if (!may_run_at_once(account, start)) {
    turns_.wait(account, std::move(taker), start);
    if (!running_) go_on();
    return;
  }
  running_ = true;
  taker->take_turn();
  running_ = false;
  const TimePoint end = now();
  window_spent_ += end - start;
  turns_.charge(account, end - start, end);
  go_on();
}

bool TurnRunner::may_run_at_once(AccountId account, TimePoint now) {
  if (running_ || !turns_.may_have(account, now)) return false;
  if (now - window_start_ >= kWindow) {
    window_start_ = now;
    window_spent_ = {};
  }
  return window_spent_ < kTurnsAtOnce;
}

void TurnRunner::go_on() {
  if (!turns_.empty()) {
    run_later();
  } else if (const auto when = turns_.next_release()) {
    run_when_released(*when);
  }
}

void TurnRunner::run_later() {
  if (std::exchange(posted_, true)) return;
  boost::asio::post(io_, [this] { run(); });
}

// Only ever moved forward: one that fires too early costs one look.
void TurnRunner::run_when_released(TimePoint when) {
  if (armed_ && *armed_ <= when) return;
  armed_ = when;
  release_.expires_at(when);
  release_.async_wait([this](const boost::system::error_code& stopped) {
    if (stopped) return;
    armed_.reset();
    run();
  });
}

void TurnRunner::run() {
  posted_ = false;
  running_ = true;
  const TimePoint start = now();
  gap_.note(start);
  TimePoint end = start;
  while (end - start < kSlice) {
    const auto turn = turns_.next(end);
    if (!turn) break;
    const TimePoint begin = end;
    turn->taker->take_turn();
    end = now();
    turns_.charge(turn->account, end - begin, end);
  }
  running_ = false;
  go_on();
}

}  // namespace tbs::server
