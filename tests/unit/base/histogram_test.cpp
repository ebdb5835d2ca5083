#include "daemon/base/histogram.h"

#include "tests/support/catch2.h"

using namespace tbs;
using namespace std::chrono_literals;

TEST_CASE("a duration counts in the first bound that is not shorter", "[base]") {
  Histogram histogram;
  histogram.add(0s);
  histogram.add(100us);
  histogram.add(100us + 1ns);
  histogram.add(100s);
  histogram.add(100s + 1ns);
  CHECK(histogram.counts().front() == 2);
  CHECK(histogram.counts()[1] == 1);
  CHECK(histogram.counts()[Histogram::kBounds.size() - 1] == 1);
  CHECK(histogram.counts().back() == 1);
  CHECK(histogram.total() == 5);
  CHECK(histogram.sum() == 200s + 200us + 2ns);
}
