#include "daemon/base/busy_poll.h"

#include "tests/support/catch2.h"

using namespace std::chrono_literals;
using tbs::BusyPoll;

TEST_CASE("a wait is polled up to the limit", "[base]") {
  const BusyPoll polling(50us);
  CHECK(polling.goes_on(0us));
  CHECK(polling.goes_on(49us));
  CHECK_FALSE(polling.goes_on(50us));
}

TEST_CASE("a long wait ends polling, a short one brings it back", "[base]") {
  BusyPoll polling(50us);
  polling.ended(3ms);
  CHECK_FALSE(polling.goes_on(0us));
  polling.ended(100us);
  CHECK_FALSE(polling.goes_on(0us));
  polling.ended(99us);
  CHECK(polling.goes_on(0us));
}

TEST_CASE("once waits are long, some are measured still", "[base]") {
  BusyPoll polling(50us);
  CHECK(polling.measures());
  polling.ended(3ms);
  unsigned unmeasured = 0;
  while (!polling.measures()) REQUIRE(++unmeasured < 100);
  CHECK(unmeasured > 8);
  CHECK(polling.measures());  // until it has been done
  polling.ended(3ms);
  CHECK_FALSE(polling.measures());
  polling.ended(10us);
  CHECK(polling.measures());
}

TEST_CASE("a limit of zero never polls", "[base]") {
  BusyPoll polling(0us);
  CHECK_FALSE(polling.goes_on(0us));
  polling.ended(0us);
  CHECK_FALSE(polling.goes_on(0us));
}
