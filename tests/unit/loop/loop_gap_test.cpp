#include "daemon/loop/loop_gap.h"

#include <boost/asio/post.hpp>

#include "daemon/loop/event_loop.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace std::chrono_literals;

TEST_CASE("a turn begins with the first look at the clock", "[loop]") {
  boost::asio::io_context io;
  loop::LoopGap& gap = loop::LoopGap::of(io);
  CHECK(&gap == &loop::LoopGap::of(io));
  CHECK_FALSE(gap.begun());
  const TimePoint start{1h};
  gap.note(start);
  gap.note(start + 1ms);
  CHECK(gap.begun());
  gap.end(start + 3ms);
  CHECK_FALSE(gap.begun());
  CHECK(gap.longest(start + 3ms) == 3ms);
  gap.note(start + 5ms);
  gap.forget();
  CHECK_FALSE(gap.begun());
}

TEST_CASE("the loop sees how long a turn took, whether it polls or sleeps", "[loop]") {
  for (const Duration busy_poll : {Duration(0s), Duration(50us)}) {
    boost::asio::io_context io{1};
    loop::LoopGap& gap = loop::LoopGap::of(io);
    boost::asio::post(io, [&] {
      const TimePoint start = std::chrono::steady_clock::now();
      gap.note(start);
      while (std::chrono::steady_clock::now() - start < 3ms) {
      }
      boost::asio::post(io, [&] { io.stop(); });
    });
    run_loop(io, busy_poll);
    CHECK(gap.longest(std::chrono::steady_clock::now()) >= 3ms);
  }
}
