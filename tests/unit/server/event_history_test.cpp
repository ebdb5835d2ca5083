#include "daemon/server/event_history.h"

#include "tests/support/catch2.h"

using namespace tbs::server;

TEST_CASE("events have rising numbers that are their times", "[server][events]") {
  EventHistory history;
  history.add(1'000'000, {.text = "one"});
  history.add(1'000'000, {.text = "at once"});
  history.add(500, {.text = "after the clock was set back"});
  history.add(2'000'000, {.text = "later"});
  REQUIRE(history.events().size() == 4);
  CHECK(history.events()[0].number == 1'000'000);
  CHECK(history.events()[1].number == 1'000'001);
  CHECK(history.events()[2].number == 1'000'002);
  CHECK(history.events()[3].number == 2'000'000);
}

TEST_CASE("the oldest events go first, and whoever missed some can know", "[server][events]") {
  EventHistory history(2);
  for (std::uint64_t number = 1; number <= 4; ++number) history.add(number, {});
  REQUIRE(history.events().size() == 2);
  CHECK(history.events().front().number == 3);
  CHECK(history.lost_after(1));
  CHECK_FALSE(history.lost_after(2));
  CHECK_FALSE(history.lost_after(4));
  // Who begins with the oldest has missed nothing.
  CHECK_FALSE(history.lost_after(0));
}

TEST_CASE("each event is announced", "[server][events]") {
  EventHistory history;
  int announced = 0;
  history.on_added([&] { ++announced; });
  history.add(1, {});
  history.add(2, {});
  CHECK(announced == 2);
}
