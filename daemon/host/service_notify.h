#pragma once

// What the service manager is told (sd_notify(3)), and the watchdog it may want fed. All of it is a
// no-op where there is no service manager.

#include <chrono>
#include <deque>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/host/notify_socket.h"

namespace tbs::host {

class ServiceNotify {
 public:
  explicit ServiceNotify(boost::asio::io_context& io);

  void ready(const std::string& status);
  void status(const std::string& status);
  void reloading();
  void stopping();

 private:
  // Sent at once, or as soon as the service manager reads; in this order.
  void tell(std::string text);
  void send_waiting();
  void feed_watchdog();

  NotifySocket socket_;
  std::deque<std::string> waiting_;
  bool waits_ = false;  // until it can be sent
  boost::asio::steady_timer timer_;
  std::chrono::microseconds interval_{0};
};

// How long a daemon waits that could not start, before it ends, when there is a service manager: it
// would be started again at once, by its unit or by the client that waits at its socket.
inline constexpr std::chrono::seconds kFailedStartPause{3};
void wait_after_failed_start();

}  // namespace tbs::host
