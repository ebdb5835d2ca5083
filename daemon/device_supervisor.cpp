#include "daemon/device_supervisor.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tbs {

DeviceSupervisor::DeviceSupervisor(device::Transceiver& device, Alarm& alarm, Events events)
    : device_(device), alarm_(alarm), events_(std::move(events)) {}

void DeviceSupervisor::open() {
  if (paused_ != Paused::No) return;
  device_.open([this](std::expected<device::Facts, device::Failure> opened) {
    if (closing_ || paused_ != Paused::No) return;
    if (opened) {
      last_error_ = 0;
      events_.opened(*opened);
      return;
    }
    const device::Failure& failure = opened.error();
    last_error_ = failure.error;
    report(failure.error == 0 ? failure.operation
                              : failure.operation + ": " + std::strerror(failure.error),
           failure.advice);
    events_.unavailable(failure);
    close_and_retry();
  });
}

void DeviceSupervisor::reopen(const std::string& reason) {
  if (closing_ || paused_ != Paused::No) return;
  report(reason, "waiting commands were answered TBS_E_IOERROR; the device is being reopened");
  close_and_retry();
}

void DeviceSupervisor::keeps_working(const std::string& reason) {
  report("the TPM takes no command; perhaps it is still at work on one that was given up (" +
             reason + ")",
         "commands wait until it answers again; it is asked from time to time");
}

void DeviceSupervisor::look_later(const std::string& problem, const std::string& advice) {
  if (closing_ || paused_ != Paused::No) return;
  report(problem, advice);
  alarm_.set(pause_, [this] { events_.look(); });
  pause_ = std::min(pause_ * 2, kLongestPause);
}

void DeviceSupervisor::settled() {
  if (pause_ != kFirstPause) {
    alarm_.set(pause_, [this] { pause_ = kFirstPause; });
  }
  if (!problem_.empty()) events_.back(named(" is back"));
  problem_.clear();
  advice_.clear();
}

void DeviceSupervisor::pause(const std::string& reason, const std::string& advice,
                             std::function<void()> closed) {
  if (closing_) return;
  problem_ = reason;
  advice_ = advice;
  paused_ = Paused::Closing;
  alarm_.cancel();
  device_.keep_state();
  device_.close([this, closed = std::move(closed)] {
    if (closing_) return;
    if (paused_ == Paused::No) return open();
    paused_ = Paused::Closed;
    closed();
  });
}

void DeviceSupervisor::resume() {
  pause_ = kFirstPause;
  if (std::exchange(paused_, Paused::No) == Paused::Closed && !closing_) open();
}

void DeviceSupervisor::close(std::function<void()> closed) {
  closing_ = true;
  alarm_.cancel();
  device_.keep_state();
  device_.close(std::move(closed));
}

// Also after a failure to open: it may have left something half open.
void DeviceSupervisor::close_and_retry() {
  alarm_.cancel();
  device_.close([this] {
    if (!closing_ && paused_ == Paused::No) retry_later();
  });
}

void DeviceSupervisor::retry_later() {
  alarm_.set(pause_, [this] { open(); });
  pause_ = std::min(pause_ * 2, kLongestPause);
}

void DeviceSupervisor::report(const std::string& message, const std::string& advice) {
  if (message == problem_) return;
  problem_ = message;
  advice_ = advice;
  events_.lost(named(": " + message + (advice.empty() ? "" : "; " + advice)));
}

std::string DeviceSupervisor::named(const std::string& text) const {
  return "TPM " + std::string(device_.name()) + text;
}

}  // namespace tbs
