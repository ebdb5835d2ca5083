#pragma once

// Keeps a device open: opens it, and when it is lost closes it and tries again with a growing
// pause, for as long as the daemon runs. It says in the log what happened and what to do, once for
// each new reason.

#include <chrono>
#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/device/transceiver.h"

namespace tbs {

class DeviceSupervisor {
 public:
  struct Events {
    std::function<void(const device::Facts&)> opened;
    std::function<void(const device::Failure&)> unavailable;
  };

  DeviceSupervisor(boost::asio::io_context& io, device::Transceiver& device, Events events);

  void open();
  // The device is of no use as it is. What ran on it must have been answered.
  void reopen(const std::string& reason);
  // The TPM works: the next failure starts with a short pause again.
  void settled();
  void close(std::function<void()> closed);

  // The errno value of the last failure to open; 0 when it is open or was never tried.
  [[nodiscard]] int last_error() const { return last_error_; }

 private:
  void attempt();
  void retry_later();
  void report(const std::string& message, const std::string& advice);

  device::Transceiver& device_;
  Events events_;
  boost::asio::steady_timer timer_;
  std::chrono::milliseconds pause_;
  std::string last_report_;
  int last_error_ = 0;
  bool closing_ = false;
};

}  // namespace tbs
