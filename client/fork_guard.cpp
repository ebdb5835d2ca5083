#include "client/fork_guard.h"

#include <atomic>
#include <cerrno>
#include <mutex>

#include <pthread.h>

#include "client/descriptor.h"

namespace tbs::client {
namespace {

// Both live as long as the process: they need no construction and no destruction.
constinit std::mutex library_mutex;
constinit std::atomic<std::uint32_t> generation{0};

void before_fork() {
  library_mutex.lock();
}

void after_fork_in_parent() {
  library_mutex.unlock();
}

void after_fork_in_child() {
  Descriptor::close_all_in_child();
  generation.fetch_add(1, std::memory_order_relaxed);
  library_mutex.unlock();
}

// At load time, so that no fork can come before it.
[[gnu::constructor]] void watch_forks() {
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

}  // namespace

std::uint32_t fork_generation() {
  return generation.load(std::memory_order_relaxed);
}

LibraryLock::LibraryLock() {
  library_mutex.lock();
}

LibraryLock::~LibraryLock() {
  const int kept = errno;
  library_mutex.unlock();
  errno = kept;
}

}  // namespace tbs::client
