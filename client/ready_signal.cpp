#include "client/ready_signal.h"

#include <cerrno>
#include <cstdint>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace tbs::client {
namespace {

bool add_to(int poll, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  return ::epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

}  // namespace

int ReadySignal::descriptor() {
  const std::lock_guard lock(mutex_);
  if (poll_.valid()) return poll_.get();
  const unsigned initial = sources_ > 0 ? 1 : 0;
  auto event = Descriptor::open([&] { return ::eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK); });
  auto poll = Descriptor::open([] { return ::epoll_create1(EPOLL_CLOEXEC); });
  if (!event.valid() || !poll.valid()) return -1;
  if (!add_to(poll.get(), event.get())) return -1;
  event_ = std::move(event);
  poll_ = std::move(poll);
  if (watched_ >= 0 && !see(watched_)) {
    event_.reset();
    poll_.reset();
  }
  return poll_.get();
}

void ReadySignal::add() {
  const std::lock_guard lock(mutex_);
  change_sources(1);
}

void ReadySignal::remove() {
  const std::lock_guard lock(mutex_);
  change_sources(-1);
}

void ReadySignal::change_sources(int by) {
  const bool was_ready = sources_ > 0;
  sources_ += by;
  const bool ready = sources_ > 0;
  if (ready == was_ready || !event_.valid()) return;
  // Neither can fail: the counter is 0 or 1, and the descriptor does not wait.
  std::uint64_t count = 1;
  [[maybe_unused]] const ssize_t moved = ready ? ::write(event_.get(), &count, sizeof count)
                                               : ::read(event_.get(), &count, sizeof count);
}

bool ReadySignal::see(int socket) const {
  if (!add_to(poll_.get(), socket)) return false;
  const int cancel = cancel_.descriptor();
  return cancel < 0 || add_to(poll_.get(), cancel) || errno == EEXIST;
}

void ReadySignal::watch_cancel() {
  const std::lock_guard lock(mutex_);
  const int cancel = cancel_.descriptor();
  if (!poll_.valid() || watched_ < 0 || blind_) return;
  if (cancel < 0 || add_to(poll_.get(), cancel) || errno == EEXIST) return;
  blind_ = true;
  change_sources(1);
}

// A descriptor that cannot see the socket says "ready": the program then looks for itself.
void ReadySignal::watch(int socket) {
  const std::lock_guard lock(mutex_);
  watched_ = socket;
  if (!poll_.valid() || see(socket)) return;
  blind_ = true;
  change_sources(1);
}

void ReadySignal::unwatch(int socket) {
  const std::lock_guard lock(mutex_);
  if (watched_ != socket) return;
  watched_ = -1;
  if (std::exchange(blind_, false)) change_sources(-1);
  if (!poll_.valid()) return;
  ::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, socket, nullptr);
  if (const int cancel = cancel_.descriptor(); cancel >= 0) {
    ::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, cancel, nullptr);
  }
}

}  // namespace tbs::client
