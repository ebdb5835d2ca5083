#include "client/tbsctl/bridge/reactor.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace tbs::ctl::bridge {
namespace {

void require(bool done, const char* what) {
  if (!done) throw std::system_error(errno, std::generic_category(), what);
}

void control(int epoll, int operation, int fd, std::uint64_t number, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = number;
  require(::epoll_ctl(epoll, operation, fd, &event) == 0, "epoll_ctl");
}

}  // namespace

Reactor::Reactor()
    : epoll_(client::Descriptor::open([] { return ::epoll_create1(EPOLL_CLOEXEC); })),
      wake_(client::Descriptor::open([] { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); })) {
  require(epoll_.valid() && wake_.valid(), "epoll");
  watch(wake_.get(), EPOLLIN, [this](std::uint32_t) { run_posted(); });
}

void Reactor::watch(int fd, std::uint32_t events, Handler handler) {
  control(epoll_.get(), EPOLL_CTL_ADD, fd, ++last_number_, events);
  numbers_[fd] = last_number_;
  handlers_[last_number_] = std::make_shared<Handler>(std::move(handler));
}

void Reactor::change(int fd, std::uint32_t events) {
  control(epoll_.get(), EPOLL_CTL_MOD, fd, numbers_.at(fd), events);
}

void Reactor::forget(int fd) {
  const auto found = numbers_.find(fd);
  if (found == numbers_.end()) return;
  handlers_.erase(found->second);
  numbers_.erase(found);
  // Fails for a descriptor that is closed already, which comes to the same.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void Reactor::after(std::chrono::milliseconds delay, Task task) {
  timers_.emplace(Clock::now() + delay, std::move(task));
}

void Reactor::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

void Reactor::run_posted() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (Task& task : tasks) task();
}

void Reactor::run_timers() {
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Task task = std::move(timers_.extract(timers_.begin()).mapped());
    task();
  }
}

int Reactor::timeout() const {
  if (timers_.empty()) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - Clock::now());
  return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 60'000));
}

void Reactor::dispatch(Number number, std::uint32_t events) {
  const auto found = handlers_.find(number);
  if (found == handlers_.end()) return;
  // Keeps the handler while it runs, also when it forgets itself.
  const std::shared_ptr<Handler> handler = found->second;
  (*handler)(events);
}

void Reactor::run() {
  std::array<epoll_event, 64> events{};
  while (!stopped_) {
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout());
    require(count >= 0 || errno == EINTR, "epoll_wait");
    for (const epoll_event& event :
         std::span(events).first(count > 0 ? static_cast<std::size_t>(count) : 0)) {
      dispatch(event.data.u64, event.events);
    }
    run_timers();
  }
}

}  // namespace tbs::ctl::bridge
