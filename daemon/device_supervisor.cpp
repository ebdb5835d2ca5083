#include "daemon/device_supervisor.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tbs {

DeviceSupervisor::DeviceSupervisor(device::Transceiver& device, Alarm& alarm, Events events)
    : device_(device), alarm_(alarm), events_(std::move(events)) {}

void DeviceSupervisor::open() {
  device_.open([this](std::expected<device::Facts, device::Failure> opened) {
    if (closing_) return;
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
    retry_later();
  });
}

void DeviceSupervisor::reopen(const std::string& reason) {
  if (closing_) return;
  report(reason, "waiting commands were answered TBS_E_IOERROR; the device is being reopened");
  device_.close([this] {
    if (!closing_) retry_later();
  });
}

void DeviceSupervisor::settled() {
  pause_ = kFirstPause;
  if (!last_report_.empty()) events_.back(named(" is back"));
  last_report_.clear();
}

void DeviceSupervisor::close(std::function<void()> closed) {
  closing_ = true;
  alarm_.cancel();
  device_.close(std::move(closed));
}

void DeviceSupervisor::retry_later() {
  alarm_.set(pause_, [this] { open(); });
  pause_ = std::min(pause_ * 2, kLongestPause);
}

void DeviceSupervisor::report(const std::string& message, const std::string& advice) {
  if (message == last_report_) return;
  last_report_ = message;
  events_.lost(named(": " + message + (advice.empty() ? "" : "; " + advice)));
}

std::string DeviceSupervisor::named(const std::string& text) const {
  return "TPM " + std::string(device_.name()) + text;
}

}  // namespace tbs
