#include "daemon/host/bus_connection.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

#include <poll.h>

namespace tbs::host {
namespace {

using Stream = boost::asio::posix::stream_descriptor;

}  // namespace

bool BusConnection::open() {
  sd_bus* bus = nullptr;
  if (sd_bus_open_system(&bus) < 0) return false;
  bus_.reset(bus);
  descriptor_.assign(sd_bus_get_fd(bus));
  given_up_ = false;
  return true;
}

void BusConnection::drive(std::function<void()> lost) {
  lost_ = std::move(lost);
  process();
}

void BusConnection::close() {
  ++round_;
  lost_ = nullptr;
  timer_.cancel();
  if (descriptor_.is_open()) descriptor_.release();
  bus_.reset();
}

void BusConnection::process() {
  while (!given_up_) {
    const int done = sd_bus_process(bus_.get(), nullptr);
    if (done == 0) return wait();
    given_up_ = given_up_ || done < 0;
  }
  const auto lost = std::exchange(lost_, nullptr);
  close();
  if (lost) lost();
}

void BusConnection::wait() {
  const unsigned round = ++round_;
  const auto woken = [this, round](const boost::system::error_code& error) { wake(error, round); };
  const int events = sd_bus_get_events(bus_.get());
  if ((events & POLLIN) != 0) descriptor_.async_wait(Stream::wait_read, woken);
  if ((events & POLLOUT) != 0) descriptor_.async_wait(Stream::wait_write, woken);
  std::uint64_t deadline = 0;
  constexpr auto kNever = std::numeric_limits<std::uint64_t>::max();
  if (sd_bus_get_timeout(bus_.get(), &deadline) < 0 || deadline == kNever) return;
  // Microseconds of CLOCK_MONOTONIC, which is what steady_clock counts.
  using Clock = std::chrono::steady_clock;
  timer_.expires_at(Clock::time_point(
      std::chrono::microseconds(static_cast<std::chrono::microseconds::rep>(deadline))));
  timer_.async_wait(woken);
}

void BusConnection::wake(const boost::system::error_code& error, unsigned round) {
  if (error || round != round_) return;
  ++round_;
  descriptor_.cancel();
  timer_.cancel();
  process();
}

}  // namespace tbs::host
