#include "daemon/device_supervisor.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "daemon/host/limited_log.h"

namespace tbs {
namespace {

constexpr std::chrono::milliseconds kFirstPause{50};
constexpr std::chrono::milliseconds kLongestPause{5000};

}  // namespace

DeviceSupervisor::DeviceSupervisor(boost::asio::io_context& io, device::Transceiver& device,
                                   Events events)
    : device_(device), events_(std::move(events)), timer_(io), pause_(kFirstPause) {}

void DeviceSupervisor::open() {
  attempt();
}

void DeviceSupervisor::attempt() {
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
  if (!last_report_.empty()) {
    host::log_limited(spdlog::level::info, host::Topic::DeviceBack,
                      fmt::format("TPM {} is back", device_.name()));
  }
  last_report_.clear();
}

void DeviceSupervisor::close(std::function<void()> closed) {
  closing_ = true;
  timer_.cancel();
  device_.close(std::move(closed));
}

void DeviceSupervisor::retry_later() {
  timer_.expires_after(pause_);
  pause_ = std::min(pause_ * 2, kLongestPause);
  timer_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped && !closing_) attempt();
  });
}

void DeviceSupervisor::report(const std::string& message, const std::string& advice) {
  if (message == last_report_) return;
  last_report_ = message;
  host::log_limited(
      spdlog::level::err, host::Topic::DeviceLost,
      fmt::format("TPM {}: {}{}{}", device_.name(), message, advice.empty() ? "" : "; ", advice));
}

}  // namespace tbs
