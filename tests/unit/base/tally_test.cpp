#include "daemon/base/tally.h"

#include "tests/support/catch2.h"

using namespace tbs;

TEST_CASE("who has most is known at any time", "[base][tally]") {
  Tally<int> tally;
  CHECK_FALSE(tally.peak().who);
  tally.add(1);
  tally.add(2);
  tally.add(2);
  CHECK(tally.peak().who == 2);
  CHECK(tally.peak().amount == 2);
  CHECK(tally.total() == 3);
  tally.remove(2);
  tally.remove(2);
  CHECK(tally.peak().who == 1);
  CHECK(tally.of(2) == 0);
  CHECK(tally.size() == 1);
  tally.remove(1);
  CHECK_FALSE(tally.peak().who);
  CHECK(tally.total() == 0);
}
