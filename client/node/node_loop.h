#pragma once

// The loop that tbs-node runs in: one thread that waits for descriptors and deadlines, and threads
// beside it for what blocks, whose results come back to the loop.

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "client/descriptor.h"

namespace tbs::node {

class NodeLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using Handler = std::function<void()>;
  using Key = std::uint64_t;

  NodeLoop();
  ~NodeLoop();  // waits for the threads
  NodeLoop(const NodeLoop&) = delete;
  NodeLoop& operator=(const NodeLoop&) = delete;

  // False when the system has no room for it. Keys are of the loop's user; one has one descriptor.
  bool watch(Key key, int descriptor, Handler readable);
  void forget(Key key, int descriptor);
  // One deadline for each key.
  void set_deadline(Key key, Clock::time_point when, Handler passed);
  void clear_deadline(Key key);

  // Runs `work` on a thread of its own, then `done` in the loop. False, and neither, when there can
  // be no more threads.
  [[nodiscard]] bool run_beside(std::function<void()> work, Handler done);

  void run();
  void stop() { stopped_ = true; }

 private:
  struct Deadline {
    Clock::time_point when;
    Handler passed;
  };
  struct Beside {
    std::thread thread;
    Handler done;
    bool ended = false;  // under ended_mutex_
  };

  [[nodiscard]] int patience() const;
  void pass_deadlines();
  void take_ended();

  client::Descriptor epoll_;
  client::Descriptor wake_;
  std::map<Key, Handler> handlers_;
  std::map<Key, Deadline> deadlines_;
  std::list<Beside> beside_;
  std::mutex ended_mutex_;
  bool stopped_ = false;
};

}  // namespace tbs::node
