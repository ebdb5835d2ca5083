#include "daemon/base/log_limit.h"

#include "tests/support/catch2.h"

using namespace tbs;

TEST_CASE("some lines of a kind pass, then one now and then with the number left out",
          "[base][log]") {
  LogLimit limit;
  const TimePoint start{};
  std::size_t written = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto line = limit.line(1, "the device failed", start);
    if (line) CHECK(*line == "the device failed");
    if (line) ++written;
  }
  CHECK(written == 5);
  // Another kind has its own share.
  CHECK(limit.line(2, "the device failed", start));
  CHECK(limit.line(1, "the device failed", start + std::chrono::seconds(10)) ==
        "the device failed (995 more like it were not logged)");
  CHECK(limit.line(1, "the device failed", start + std::chrono::seconds(10)) == std::nullopt);
}

TEST_CASE("a flood of kinds cannot fill the log either", "[base][log]") {
  LogLimit limit;
  std::size_t written = 0;
  for (std::uint64_t kind = 0; kind < 100'000; ++kind) {
    if (limit.line(kind, "something", TimePoint{})) ++written;
  }
  CHECK(written < 300);
}
