#include "daemon/base/rate_limit.h"

#include "tests/support/catch2.h"

using namespace tbs;
using namespace std::chrono_literals;

TEST_CASE("a burst passes, then one for each interval", "[base]") {
  RateLimit limit({.burst = 3, .interval = 10s});
  TimePoint now{};
  for (int i = 0; i < 3; ++i) REQUIRE(limit.ask(1, now).pass);
  for (int i = 0; i < 100; ++i) REQUIRE_FALSE(limit.ask(1, now).pass);
  now += 10s;
  const auto permit = limit.ask(1, now);
  REQUIRE(permit.pass);
  REQUIRE(permit.left_out == 100);
  REQUIRE_FALSE(limit.ask(1, now).pass);
  now += 1h;
  for (int i = 0; i < 3; ++i) REQUIRE(limit.ask(1, now).pass);
  REQUIRE_FALSE(limit.ask(1, now).pass);
}

TEST_CASE("kinds do not use up each other's allowance", "[base]") {
  RateLimit limit({.burst = 1, .interval = 10s});
  for (std::uint64_t kind = 0; kind < 100; ++kind) REQUIRE(limit.ask(kind, {}).pass);
  for (std::uint64_t kind = 0; kind < 100; ++kind) REQUIRE_FALSE(limit.ask(kind, {}).pass);
}

TEST_CASE("more kinds than there is room for share one allowance", "[base]") {
  RateLimit limit({.burst = 1, .interval = 10s, .kinds = 4});
  std::size_t passed = 0;
  for (std::uint64_t kind = 0; kind < 1000; ++kind) {
    if (limit.ask(kind, {}).pass) ++passed;
  }
  REQUIRE(passed == 5);
  REQUIRE(limit.kinds() == 4);
  // Those that nobody has asked about for long make room.
  REQUIRE(limit.ask(5000, TimePoint{} + 1h).pass);
  REQUIRE(limit.kinds() == 1);
}
