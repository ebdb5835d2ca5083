#include "daemon/host/service_notify.h"

#include <ctime>
#include <thread>

#include <systemd/sd-daemon.h>

#include "proto/terminal_text.h"

namespace tbs::host {

ServiceNotify::ServiceNotify(boost::asio::io_context& io) : timer_(io) {
  std::uint64_t interval = 0;
  if (sd_watchdog_enabled(0, &interval) <= 0) return;
  // Half the interval, as sd_watchdog_enabled(3) advises.
  interval_ = std::chrono::microseconds(interval / 2);
  feed_watchdog();
}

void ServiceNotify::ready(const std::string& status) {
  sd_notify(0, ("READY=1\nSTATUS=" + proto::terminal_text(status)).c_str());
}

void ServiceNotify::status(const std::string& status) {
  sd_notify(0, ("STATUS=" + proto::terminal_text(status)).c_str());
}

void ServiceNotify::reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds =
      std::uint64_t(now.tv_sec) * 1'000'000 + std::uint64_t(now.tv_nsec) / 1000;
  sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds)).c_str());
}

void ServiceNotify::stopping() {
  sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

void ServiceNotify::feed_watchdog() {
  sd_notify(0, "WATCHDOG=1");
  timer_.expires_after(interval_);
  timer_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) feed_watchdog();
  });
}

void wait_after_failed_start() {
  if (sd_notify(0, "STATUS=could not start; the log says why") <= 0) return;
  std::this_thread::sleep_for(kFailedStartPause);
}

}  // namespace tbs::host
