#pragma once

// The descriptor through which everything of a context can be cancelled where no function may be
// called: what is written to it stays until a thread that waits for the daemon takes it. It belongs
// to a context and outlives its connections.

#include <atomic>
#include <mutex>

#include "client/descriptor.h"

namespace tbs::client {

class CancelSignal {
 public:
  // Makes the descriptor on first use; -1 when the system has none left.
  int make();

  // The descriptor; -1 while nobody has asked for it.
  [[nodiscard]] int descriptor() const { return made_.load(std::memory_order_acquire); }

  // Takes what was written; false when nothing was.
  [[nodiscard]] bool take() const;

 private:
  std::mutex mutex_;
  Descriptor event_;
  std::atomic<int> made_ = -1;
};

}  // namespace tbs::client
