#include "daemon/health_check.h"

#include <algorithm>
#include <utility>

namespace tbs {

void HealthCheck::doubt(TimePoint now) {
  if (std::exchange(waiting_, true)) return;
  const TimePoint next = std::max(last_look_ + kPause, now);
  alarm_.set(next - now, [this, next] {
    waiting_ = false;
    last_look_ = next;
    look_();
  });
}

void HealthCheck::cancel() {
  waiting_ = false;
  alarm_.cancel();
}

}  // namespace tbs
