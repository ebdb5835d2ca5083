#include "daemon/health_check.h"

#include <utility>
#include <vector>

#include "tests/support/catch2.h"

using namespace tbs;
using namespace std::chrono_literals;

namespace {

struct Bench : Alarm {
  void set(Duration after, Call call) override {
    pauses.push_back(after);
    waiting = std::move(call);
  }
  void cancel() override { waiting = nullptr; }
  void ring() { std::exchange(waiting, nullptr)(); }

  std::vector<Duration> pauses;
  Call waiting;
  int looks = 0;
  HealthCheck check{*this, [this] { ++looks; }};
  const TimePoint start{1h};
};

}  // namespace

TEST_CASE("the first doubt is followed by a look at once", "[health]") {
  Bench bench;
  bench.check.doubt(bench.start);
  CHECK(bench.pauses == std::vector<Duration>{0s});
  bench.ring();
  CHECK(bench.looks == 1);
}

TEST_CASE("doubts that come together bring one look", "[health]") {
  Bench bench;
  for (int i = 0; i < 5; ++i) bench.check.doubt(bench.start);
  CHECK(bench.pauses.size() == 1);
  bench.ring();
  CHECK(bench.looks == 1);
}

TEST_CASE("looks have a pause between them", "[health]") {
  Bench bench;
  bench.check.doubt(bench.start);
  bench.ring();
  bench.check.doubt(bench.start + 300ms);
  CHECK(bench.pauses.back() == 700ms);
  bench.ring();
  bench.check.doubt(bench.start + 1s + 1ms);
  CHECK(bench.pauses.back() == 999ms);
  bench.ring();
  bench.check.doubt(bench.start + 10s);
  CHECK(bench.pauses.back() == 0s);
}

TEST_CASE("a look that was called off can be asked for again", "[health]") {
  Bench bench;
  bench.check.doubt(bench.start);
  bench.check.cancel();
  CHECK_FALSE(bench.waiting);
  bench.check.doubt(bench.start);
  bench.ring();
  CHECK(bench.looks == 1);
}
