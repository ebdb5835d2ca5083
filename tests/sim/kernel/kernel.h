#pragma once

// The kernel that tbsd runs on in a simulation: its descriptors, epoll, the clock, and the moment
// at which it is killed. Which calls of libc come here: interposed.cpp. One process at a time has
// it; the files of one that was killed live on where somebody else has them.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "tests/sim/kernel/file.h"
#include "tests/sim/world.h"

namespace tbs::sim {

class Epoll;

class Kernel {
 public:
  // No descriptor of the real kernel is as high.
  static constexpr int kFirst = 1 << 24;
  static constexpr bool owns(int descriptor) { return descriptor >= kFirst; }
  // Of the node /dev/tpm0, as the process is told.
  static constexpr unsigned kNodeMajor = 4000;

  explicit Kernel(World& world) : world_(world) {}

  World& world() { return world_; }

  int open(SharedFile file);
  [[nodiscard]] SharedFile file(int descriptor) const;
  void close(int descriptor);

  int epoll_create();
  int epoll_ctl(int epoll, int operation, int descriptor, const epoll_event* event);
  // As epoll_wait(2): time goes on until there is something.
  int epoll_wait(int epoll, std::span<epoll_event> events, int timeout_ms);
  // As poll(2) of one descriptor.
  int poll(int descriptor, short events, short* found, int timeout_ms);
  // The wait ends, whatever there is: something was posted to the loop, which does not expect that
  // from within its own wait.
  void interrupt() { interrupted_ = true; }
  // The calling thread is blocked.
  void block_until(Time when);

  // A call has been made, which takes this long.
  void enter(Time cost);
  // When its effect is there.
  void leave();

  // What opening /dev/tpm0 gives; an errno value.
  std::function<std::expected<SharedFile, int>()> open_node;
  // The loop has nothing to wait for and never will.
  std::function<void()> stuck;

  // The process is killed at the call with this number from now; 0: not.
  void kill_at(std::uint64_t calls, std::function<void()> killed);
  // Now. Its descriptors are closed, and nothing that it does any more has an effect.
  void kill();
  [[nodiscard]] bool dead() const { return dead_; }
  // A new process.
  void start() { dead_ = false; }
  [[nodiscard]] std::size_t descriptors() const { return files_.size(); }

  // How long the loop has not looked at its descriptors.
  [[nodiscard]] Time longest_turn() const { return longest_turn_; }
  void forget_turns() { longest_turn_ = 0; }

 private:
  World& world_;
  int next_ = kFirst;
  std::map<int, SharedFile> files_;
  bool dead_ = false;
  bool dies_after_ = false;
  bool interrupted_ = false;
  std::uint64_t calls_left_ = 0;
  std::function<void()> killed_;
  Time looked_ = 0;
  Time longest_turn_ = 0;
};

// Null: all calls go to the real kernel.
Kernel*& current_kernel();

}  // namespace tbs::sim
