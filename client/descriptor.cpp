#include "client/descriptor.h"

#include <cerrno>
#include <mutex>

#include <pthread.h>
#include <unistd.h>

namespace tbs::client {
namespace {

// Never destroyed: other threads may still be inside the library while the process exits.
struct ForkState {
  std::mutex mutex;
  Descriptor* first = nullptr;
  std::atomic<std::uint32_t> generation{0};
};

ForkState& fork_state();

void before_fork() {
  fork_state().mutex.lock();
}

void after_fork_in_parent() {
  fork_state().mutex.unlock();
}

void after_fork_in_child() {
  Descriptor::close_all_in_child();
  fork_state().generation.fetch_add(1, std::memory_order_relaxed);
  fork_state().mutex.unlock();
}

ForkState& fork_state() {
  static ForkState& state = [] -> ForkState& {
    auto& made = *new ForkState;
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    return made;
  }();
  return state;
}

}  // namespace

std::uint32_t fork_generation() {
  return fork_state().generation.load(std::memory_order_relaxed);
}

Descriptor::ListLock::ListLock() {
  fork_state().mutex.lock();
}

Descriptor::ListLock::~ListLock() {
  const int kept = errno;
  fork_state().mutex.unlock();
  errno = kept;
}

void Descriptor::reset() {
  const ListLock lock;
  if (fd_ < 0) return;
  unlink();
  // Not repeated on EINTR: Linux has released the number by then.
  ::close(fd_);
  fd_ = -1;
}

void Descriptor::take(Descriptor& other) {
  const ListLock lock;
  if (other.fd_ < 0) return;
  other.unlink();
  fd_ = std::exchange(other.fd_, -1);
  link();
}

void Descriptor::link() {
  next_ = fork_state().first;
  previous_ = nullptr;
  if (next_ != nullptr) next_->previous_ = this;
  fork_state().first = this;
}

void Descriptor::unlink() {
  if (next_ != nullptr) next_->previous_ = previous_;
  if (previous_ != nullptr) {
    previous_->next_ = next_;
  } else {
    fork_state().first = next_;
  }
  previous_ = next_ = nullptr;
}

void Descriptor::close_all_in_child() {
  Descriptor* each = std::exchange(fork_state().first, nullptr);
  while (each != nullptr) {
    ::close(std::exchange(each->fd_, -1));
    each->previous_ = nullptr;
    each = std::exchange(each->next_, nullptr);
  }
}

}  // namespace tbs::client
