#pragma once

// Gives the turns of the event loop (loop_turns.h) to those who want them: for a slice of time,
// then whatever else the loop has to do comes first. Where nobody waits and the loop is idle, a
// turn is given at once. Who is held back has one when its time has come.

#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/base/clock.h"
#include "daemon/base/ids.h"
#include "daemon/loop/loop_gap.h"
#include "daemon/server/loop_turns.h"

namespace tbs::server {

class TurnTaker {
 public:
  virtual ~TurnTaker() = default;
  // Does a little. Whoever wants to go on asks for another turn.
  virtual void take_turn() = 0;
};

class TurnRunner {
 public:
  explicit TurnRunner(boost::asio::io_context& io)
      : io_(io), gap_(loop::LoopGap::of(io)), release_(io) {}

  // Gives it a turn at the account's cost, perhaps from within this call.
  void want(AccountId account, std::shared_ptr<TurnTaker> taker);

 private:
  [[nodiscard]] bool may_run_at_once(AccountId account, TimePoint now);
  void go_on();
  void run_later();
  void run_when_released(TimePoint when);
  void run();

  boost::asio::io_context& io_;
  loop::LoopGap& gap_;
  LoopTurns<std::shared_ptr<TurnTaker>> turns_;
  TimePoint window_start_;
  Duration window_spent_{};
  bool running_ = false;
  bool posted_ = false;
  boost::asio::steady_timer release_;
  std::optional<TimePoint> armed_;
};

}  // namespace tbs::server
