#include "daemon/loop/event_loop.h"

#include <sched.h>

#include "daemon/base/busy_poll.h"

namespace tbs {
namespace {

bool alone_on_one_processor() {
  cpu_set_t processors;
  return sched_getaffinity(0, sizeof processors, &processors) == 0 && CPU_COUNT(&processors) == 1;
}

}  // namespace

void run_loop(boost::asio::io_context& io, Duration busy_poll) {
  if (busy_poll == Duration::zero() || alone_on_one_processor()) {
    io.run();
    return;
  }
  using Clock = std::chrono::steady_clock;
  BusyPoll polling(busy_poll);
  while (!io.stopped()) {
    if (!polling.measures()) {
      io.run_one();
      continue;
    }
    if (io.poll() > 0) continue;
    const TimePoint idle_since = Clock::now();
    std::size_t handled = 0;
    while (handled == 0 && !io.stopped() && polling.goes_on(Clock::now() - idle_since)) {
      handled = io.poll();
    }
    if (handled == 0) io.run_one();
    polling.ended(Clock::now() - idle_since);
  }
}

}  // namespace tbs
