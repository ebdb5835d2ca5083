#include "client/ready_signal.h"

#include <cstdint>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace tbs::client {
namespace {

bool watch(int poll, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  return ::epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

}  // namespace

int ReadySignal::descriptor(int socket) {
  if (poll_.valid()) return poll_.get();
  const unsigned initial = ready_ ? 1 : 0;
  auto event = Descriptor::open([&] { return ::eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK); });
  auto poll = Descriptor::open([] { return ::epoll_create1(EPOLL_CLOEXEC); });
  if (!event.valid() || !poll.valid()) return -1;
  if (!watch(poll.get(), socket) || !watch(poll.get(), event.get())) return -1;
  event_ = std::move(event);
  poll_ = std::move(poll);
  return poll_.get();
}

void ReadySignal::set(bool ready) {
  if (ready_ == ready) return;
  ready_ = ready;
  if (!event_.valid()) return;
  // Neither can fail: the counter is 0 or 1, and the descriptor does not wait.
  std::uint64_t count = 1;
  [[maybe_unused]] const ssize_t moved = ready ? ::write(event_.get(), &count, sizeof count)
                                               : ::read(event_.get(), &count, sizeof count);
}

}  // namespace tbs::client
