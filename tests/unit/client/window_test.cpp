#include "client/window.h"

#include "tests/support/catch2.h"

using namespace tbs::client;

TEST_CASE("as many enter as the window has places", "[client][window]") {
  Window window(2);
  REQUIRE(window.try_enter());
  REQUIRE(window.try_enter());
  REQUIRE_FALSE(window.try_enter());
  REQUIRE(window.leave() == nullptr);
  REQUIRE(window.try_enter());
  REQUIRE_FALSE(window.try_enter());
}

TEST_CASE("places go to those who wait, in the order in which they came", "[client][window]") {
  Window window(1);
  Request first;
  Request second;
  REQUIRE(window.try_enter());
  window.hold_back(first);
  window.hold_back(second);
  REQUIRE(first.state == RequestState::HeldBack);
  REQUIRE(window.leave() == &first);
  REQUIRE_FALSE(window.try_enter());
  REQUIRE(window.leave() == &second);
  REQUIRE(window.leave() == nullptr);
  REQUIRE(window.try_enter());
}

TEST_CASE("nobody overtakes those who wait", "[client][window]") {
  Window window(1);
  Request waiting;
  REQUIRE(window.try_enter());
  window.hold_back(waiting);
  REQUIRE_FALSE(window.try_enter());
  REQUIRE(window.leave() == &waiting);
  REQUIRE_FALSE(window.try_enter());
}

TEST_CASE("who gives up waiting takes no place", "[client][window]") {
  Window window(1);
  Request waiting;
  REQUIRE(window.try_enter());
  window.hold_back(waiting);
  REQUIRE(window.give_up() == &waiting);
  REQUIRE(window.give_up() == nullptr);
  REQUIRE(window.leave() == nullptr);
  REQUIRE(window.try_enter());
}

TEST_CASE("a window of no places still lets one in", "[client][window]") {
  Window window(0);
  REQUIRE(window.try_enter());
  REQUIRE_FALSE(window.try_enter());
}

TEST_CASE("a list gives back its requests by number and in order", "[client][window]") {
  RequestList list;
  Request a, b, c;
  a.id = 1, b.id = 2, c.id = 3;
  list.append(a), list.append(b), list.append(c);
  REQUIRE(list.take(2) == &b);
  REQUIRE(list.take(2) == nullptr);
  c.waiting = true;
  REQUIRE(list.sleeper() == &c);
  REQUIRE(list.take_first() == &a);
  REQUIRE(list.take_first() == &c);
  REQUIRE(list.take_first() == nullptr);
  REQUIRE(list.sleeper() == nullptr);
}
