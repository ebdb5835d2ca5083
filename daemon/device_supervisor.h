#pragma once

// Keeps a device open: opens it, and when it is lost closes it and tries again with a growing
// pause, for as long as the daemon runs. It tells what happened and what to do, once for each new
// reason.

#include <chrono>
#include <cstdint>
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
    // It is open, and time to look whether its TPM works by now.
    std::function<void()> look;
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
  // A command was given up, and the TPM takes no other.
  void keeps_working(const std::string& reason);
  // The device is open, but its TPM serves little or nothing: it is looked at again after a pause.
  void look_later(const std::string& problem, const std::string& advice);
  // The TPM works. Once it has done so for longer than the last pause, the next failure starts with
  // a short one again: one that dies as soon as it is up does not keep the daemon busy.
  void settled();
  // Somebody else has the device, for this reason: it is closed and not opened again before
  // resume(). What runs on it must have ended. `closed` comes unless that was called before.
  void pause(const std::string& reason, const std::string& advice, std::function<void()> closed);
  void resume();
  // At the end: the TPM's state is kept where that is configured.
  void close(std::function<void()> closed);

  // The errno value of the last failure to open; 0 when it is open or was never tried.
  [[nodiscard]] int last_error() const { return last_error_; }
  // Why the device is of no use, as the log has it, and what to do; empty while all is well.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const std::string& advice() const { return advice_; }

 private:
  void close_and_retry();
  void retry_later();
  void report(const std::string& message, const std::string& advice);
  [[nodiscard]] std::string named(const std::string& text) const;

  device::Transceiver& device_;
  Alarm& alarm_;
  Events events_;
  std::chrono::milliseconds pause_ = kFirstPause;
  std::string problem_;
  std::string advice_;
  int last_error_ = 0;
  bool closing_ = false;
  enum class Paused : std::uint8_t { No, Closing, Closed } paused_ = Paused::No;
};

}  // namespace tbs
