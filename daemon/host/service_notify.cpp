#include "daemon/host/service_notify.h"

#include <cerrno>
#include <ctime>
#include <thread>
#include <utility>

#include <systemd/sd-daemon.h>

#include "proto/terminal_text.h"

namespace tbs::host {
namespace {

// Past it what comes is left out. Only the last of several states is told.
constexpr std::size_t kMostWaiting = 16;

bool is_status(const std::string& text) {
  return text.starts_with("STATUS=");
}

}  // namespace

ServiceNotify::ServiceNotify(boost::asio::io_context& io)
    : socket_(io, NotifySocket::address_of_environment()), timer_(io) {
  std::uint64_t interval = 0;
  if (sd_watchdog_enabled(0, &interval) <= 0) return;
  // Half the interval, as sd_watchdog_enabled(3) advises.
  interval_ = std::chrono::microseconds(interval / 2);
  feed_watchdog();
}

void ServiceNotify::ready(const std::string& status) {
  tell("READY=1\nSTATUS=" + proto::terminal_text(status));
}

void ServiceNotify::status(const std::string& status) {
  tell("STATUS=" + proto::terminal_text(status));
}

void ServiceNotify::reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds =
      std::uint64_t(now.tv_sec) * 1'000'000 + std::uint64_t(now.tv_nsec) / 1000;
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

void ServiceNotify::stopping() {
  tell("STOPPING=1\nSTATUS=stopping");
}

void ServiceNotify::tell(std::string text) {
  if (!socket_.available()) return;
  if (!waiting_.empty() && is_status(waiting_.back()) && is_status(text)) {
    waiting_.back() = std::move(text);
  } else if (waiting_.size() < kMostWaiting) {
    waiting_.push_back(std::move(text));
  }
  if (!waits_) send_waiting();
}

void ServiceNotify::send_waiting() {
  while (!waiting_.empty()) {
    const int error = socket_.send(waiting_.front());
    if (error == EAGAIN) {
      waits_ = true;
      socket_.async_wait_writable([this](const boost::system::error_code& stopped) {
        if (stopped) return;
        waits_ = false;
        send_waiting();
      });
      return;
    }
    waiting_.pop_front();
  }
}

void ServiceNotify::feed_watchdog() {
  // A later one does as well.
  if (waiting_.empty()) tell("WATCHDOG=1");
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
