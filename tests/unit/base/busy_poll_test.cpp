#include "daemon/base/busy_poll.h"

#include <catch2/catch.hpp>

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

TEST_CASE("a limit of zero never polls", "[base]") {
  BusyPoll polling(0us);
  CHECK_FALSE(polling.goes_on(0us));
  polling.ended(0us);
  CHECK_FALSE(polling.goes_on(0us));
}
