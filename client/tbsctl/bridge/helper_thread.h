#pragma once

// A thread for the calls of libtbs that wait for the daemon: opening a context, which can take as
// long as the TPM's start, and cancelling. The loop goes on meanwhile.

#include <functional>
#include <memory>

#include "client/tbsctl/bridge/reactor.h"

namespace tbs::ctl::bridge {

class HelperThread {
 public:
  // Runs in the helper thread and returns what to do in the loop when it is through.
  using Job = std::move_only_function<Reactor::Task()>;

  // The thread is not waited for in the end, since the daemon may let it wait for long: it keeps
  // the reactor itself.
  explicit HelperThread(std::shared_ptr<Reactor> reactor);
  ~HelperThread();
  HelperThread(const HelperThread&) = delete;
  HelperThread& operator=(const HelperThread&) = delete;

  // One job after the other, in this order.
  void run(Job job);

 private:
  struct Queue;
  static void work(const std::shared_ptr<Queue>& queue);

  std::shared_ptr<Queue> queue_;
};

}  // namespace tbs::ctl::bridge
