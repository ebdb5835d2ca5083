#pragma once

#include <cstdint>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/base/alarm.h"

namespace tbs::loop {

// An alarm of the event loop; dropped with this object, which must not be destroyed in its call.
class AsioAlarm final : public Alarm {
 public:
  explicit AsioAlarm(boost::asio::io_context& loop) : timer_(loop) {}

  void set(Duration after, Call call) override {
    call_ = std::move(call);
    timer_.expires_after(after);
    timer_.async_wait([this, number = ++number_](const boost::system::error_code& stopped) {
      // A wait that had ended already when it was cancelled comes without an error.
      if (!stopped && number == number_) std::exchange(call_, nullptr)();
    });
  }
  void cancel() override {
    ++number_;
    call_ = nullptr;
    timer_.cancel();
  }

 private:
  boost::asio::steady_timer timer_;
  Call call_;
  std::uint64_t number_ = 0;
};

}  // namespace tbs::loop
