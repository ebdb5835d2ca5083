#include "client/cancel_signal.h"

#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

namespace tbs::client {

int CancelSignal::make() {
  const std::lock_guard lock(mutex_);
  if (!event_.valid()) {
    event_ = Descriptor::open([] { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); });
    made_.store(event_.get(), std::memory_order_release);
  }
  return event_.get();
}

bool CancelSignal::take() const {
  std::uint64_t count = 0;
  return ::read(descriptor(), &count, sizeof count) == sizeof count;
}

}  // namespace tbs::client
