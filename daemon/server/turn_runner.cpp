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
constexpr std::chrono::microseconds kAtOnce{300};

TimePoint now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

void TurnRunner::want(AccountId account, std::shared_ptr<TurnTaker> taker) {
  const TimePoint start = now();
  if (!may_run_at_once(start)) {
    turns_.wait(account, std::move(taker));
    if (!running_) run_later();
    return;
  }
  running_ = true;
  taker->take_turn();
  const Duration took = now() - start;
  running_ = false;
  window_spent_ += took;
  if (turns_.empty()) return;  // who works alone owes nobody anything
  turns_.charge(account, took);
  run_later();
}

bool TurnRunner::may_run_at_once(TimePoint now) {
  if (running_ || !turns_.empty()) return false;
  if (now - window_start_ >= kWindow) {
    window_start_ = now;
    window_spent_ = {};
  }
  return window_spent_ < kAtOnce;
}

void TurnRunner::run_later() {
  if (std::exchange(posted_, true)) return;
  boost::asio::post(io_, [this] { run(); });
}

void TurnRunner::run() {
  posted_ = false;
  running_ = true;
  const TimePoint start = now();
  TimePoint end = start;
  while (end - start < kSlice) {
    const auto turn = turns_.next();
    if (!turn) break;
    const TimePoint begin = end;
    turn->taker->take_turn();
    end = now();
    turns_.charge(turn->account, end - begin);
  }
  running_ = false;
  if (!turns_.empty()) run_later();
}

}  // namespace tbs::server
