#pragma once

// Keeps a device open: opens it, and when it is lost closes it and tries again with a growing
// pause, for as long as the daemon runs. It tells what happened and what to do, once for each new
// reason.

#include <chrono>
#include <functional>
#include <string>

#include "daemon/base/alarm.h"
#include "daemon/device/transceiver.h"

namespace tbs {

class DeviceSupervisor {
 public:
  struct Events {
    std::function<void(const device::Facts&)> opened;
    std::function<void(const device::Failure&)> unavailable;
    // For the log: why the device is of no use, and that it is again.
    std::function<void(const std::string&)> lost;
    std::function<void(const std::string&)> back;
  };

  static constexpr std::chrono::milliseconds kFirstPause{50};
  static constexpr std::chrono::milliseconds kLongestPause{5000};

  DeviceSupervisor(device::Transceiver& device, Alarm& alarm, Events events);

  void open();
  // The device is of no use as it is. What ran on it must have been answered.
  void reopen(const std::string& reason);
  // The TPM works: the next failure starts with a short pause again.
  void settled();
  void close(std::function<void()> closed);

  // The errno value of the last failure to open; 0 when it is open or was never tried.
  [[nodiscard]] int last_error() const { return last_error_; }

 private:
  void retry_later();
  void report(const std::string& message, const std::string& advice);
  [[nodiscard]] std::string named(const std::string& text) const;

  device::Transceiver& device_;
  Alarm& alarm_;
  Events events_;
  std::chrono::milliseconds pause_ = kFirstPause;
  std::string last_report_;
  int last_error_ = 0;
  bool closing_ = false;
};

}  // namespace tbs
