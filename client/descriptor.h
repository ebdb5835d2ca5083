#pragma once

// File descriptors that a forked child does not use. A child that did could write into its parent's
// conversation, so it closes every one of them before fork() returns in it. A socket is kept open,
// untouched, where the child is to get what belongs to it: the daemon would flush that when the
// parent ends.
//
// Descriptors are made while the library's lock is held: a fork in another thread sees each one
// either not yet made or listed.

#include <concepts>
#include <cstdint>

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
  // From now on a forked child keeps it open until it calls close_inherited() with this label,
  // which is not 0.
  void keep_in_children(std::uint64_t label);

  // Run by fork() in the child: closes every descriptor there is, but for those to be kept.
  static void close_all_in_child();
  static void close_inherited(std::uint64_t label);

 private:
  void take(Descriptor& other);
  void link();
  void unlink();

  int fd_ = -1;
  std::uint64_t label_ = 0;
  Descriptor* previous_ = nullptr;
  Descriptor* next_ = nullptr;
};

}  // namespace tbs::client
