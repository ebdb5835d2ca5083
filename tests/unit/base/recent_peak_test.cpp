#include "daemon/base/recent_peak.h"

#include "tests/support/catch2.h"

using namespace tbs;
using namespace std::chrono_literals;

TEST_CASE("the longest of the last minute is remembered, and forgotten after two", "[base]") {
  RecentPeak peak;
  const TimePoint start{1h};
  CHECK(peak.at(start) == 0s);
  peak.see(5ms, start);
  peak.see(3ms, start + 1s);
  CHECK(peak.at(start + 1s) == 5ms);
  CHECK(peak.at(start + 1s) == 5ms);
  CHECK(peak.at(start + 119s) == 5ms);
  CHECK(peak.at(start + 120s) == 0s);
  peak.see(1ms, start + 61s);
  CHECK(peak.at(start + 62s) == 5ms);
  CHECK(peak.at(start + 121s) == 1ms);
  peak.see(2ms, start + 122s);
  CHECK(peak.at(start + 122s) == 2ms);
  // What was long ago is no part of the window before.
  peak.see(1ms, start + 600s);
  CHECK(peak.at(start + 600s) == 1ms);
}
