#include "daemon/loop/event_loop.h"

#include <sched.h>

#include "daemon/base/busy_poll.h"
#include "daemon/loop/loop_gap.h"

namespace tbs {
namespace {

bool alone_on_one_processor() {
  cpu_set_t processors;
  return sched_getaffinity(0, sizeof processors, &processors) == 0 && CPU_COUNT(&processors) == 1;
}

using SteadyClock = std::chrono::steady_clock;

// Sleeps until there is something to do, and does it. False when nothing will ever come.
bool sleep_and_work(boost::asio::io_context& io, loop::LoopGap& gap) {
  gap.forget();
  const bool worked = io.run_one() > 0;
  if (gap.begun()) gap.end(SteadyClock::now());
  return worked;
}

// Does what there is to do, and says how much that was.
std::size_t work_through(boost::asio::io_context& io, loop::LoopGap& gap, TimePoint since) {
  gap.forget();
  gap.note(since);
  const std::size_t handled = io.poll();
  if (handled > 0) gap.end(SteadyClock::now());
  return handled;
}

}  // namespace

void run_loop(boost::asio::io_context& io, Duration busy_poll) {
  loop::LoopGap& gap = loop::LoopGap::of(io);
  if (busy_poll == Duration::zero() || alone_on_one_processor()) {
    while (!io.stopped() && sleep_and_work(io, gap)) {
    }
    return;
  }
  BusyPoll polling(busy_poll);
  while (!io.stopped()) {
    if (!polling.measures()) {
      sleep_and_work(io, gap);
      continue;
    }
    const TimePoint idle_since = SteadyClock::now();
    if (work_through(io, gap, idle_since) > 0) continue;
    std::size_t handled = 0;
    TimePoint now = SteadyClock::now();
    while (handled == 0 && !io.stopped() && polling.goes_on(now - idle_since)) {
      handled = work_through(io, gap, now);
      now = SteadyClock::now();
    }
    if (handled == 0) sleep_and_work(io, gap);
    polling.ended(SteadyClock::now() - idle_since);
  }
}

}  // namespace tbs
