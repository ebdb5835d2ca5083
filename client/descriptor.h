#pragma once

// File descriptors that a forked child does not keep. A child that held on to a copy of the
// library's socket could write into its parent's conversation, and the daemon would not notice the
// parent's end; so the child closes every one of them before fork() returns in it.
//
// Descriptors are made while the library's lock is held: a fork in another thread sees each one
// either not yet made or listed.

#include <concepts>

#include "client/fork_guard.h"

namespace tbs::client {

class Descriptor {
 public:
  Descriptor() = default;
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept { take(other); }
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) reset(), take(other);
    return *this;
  }

  // Owns what `make` returns: a new close-on-exec descriptor, or -1 with errno set. `make` must not
  // wait for anything.
  template <std::invocable Make>
  static Descriptor open(Make make) {
    Descriptor made;
    const LibraryLock lock;
    made.fd_ = make();
    if (made.fd_ >= 0) made.link();
    return made;
  }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  // Closes it now.
  void reset();

  // Run by fork() in the child: closes every descriptor there is.
  static void close_all_in_child();

 private:
  void take(Descriptor& other);
  void link();
  void unlink();

  int fd_ = -1;
  Descriptor* previous_ = nullptr;
  Descriptor* next_ = nullptr;
};

}  // namespace tbs::client
