#pragma once

// The event loop of the bridge: descriptors, timers, and what other threads hand over. One thread
// runs it; everything but post() belongs to that thread.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "client/descriptor.h"

namespace tbs::ctl::bridge {

class Reactor {
 public:
  using Handler = std::move_only_function<void(std::uint32_t events)>;
  using Task = std::move_only_function<void()>;
  using Clock = std::chrono::steady_clock;

  // Throws when the system has no descriptor left.
  Reactor();

  // Calls `handler` when one of `events` (epoll_ctl(2), level-triggered) is there. The handler may
  // forget its descriptor.
  void watch(int fd, std::uint32_t events, Handler handler);
  void change(int fd, std::uint32_t events);
  void forget(int fd);

  void after(std::chrono::milliseconds delay, Task task);
  // Runs `task` in the loop; from any thread.
  void post(Task task);

  // Until stop().
  void run();
  void stop() { stopped_ = true; }

 private:
  // Told by number, not by descriptor: an event that was fetched for one that is closed by now must
  // not reach the next that has the same descriptor.
  using Number = std::uint64_t;

  void dispatch(Number number, std::uint32_t events);
  void run_posted();
  void run_timers();
  [[nodiscard]] int timeout() const;

  client::Descriptor epoll_;
  client::Descriptor wake_;
  std::unordered_map<int, Number> numbers_;
  std::unordered_map<Number, std::shared_ptr<Handler>> handlers_;
  Number last_number_ = 0;
  std::multimap<Clock::time_point, Task> timers_;
  bool stopped_ = false;

  std::mutex mutex_;
  std::vector<Task> posted_;  // under mutex_
};

}  // namespace tbs::ctl::bridge
