#include "daemon/policy/backlog.h"

#include <catch2/catch.hpp>

using namespace tbs;
using namespace tbs::policy;

namespace {

constexpr UserId kAlice{1};
constexpr UserId kBob{2};
constexpr UserId kCarol{3};

}  // namespace

TEST_CASE("a user with too much waiting is held up, and nobody else", "[policy][backlog]") {
  Backlog backlog;
  backlog.set_limits(1000, 100000);
  backlog.set(1, kAlice, 600);
  backlog.set(2, kAlice, 399);
  backlog.set(3, kBob, 10);
  REQUIRE_FALSE(backlog.full(kAlice));
  backlog.set(2, kAlice, 400);
  REQUIRE(backlog.full(kAlice));
  REQUIRE_FALSE(backlog.may_read(1, kAlice));
  REQUIRE(backlog.may_read(3, kBob));
  // One of its connections that has nothing waiting gets on.
  REQUIRE(backlog.may_read(4, kAlice));
  backlog.set(1, kAlice, 0);
  REQUIRE(backlog.may_read(2, kAlice));
  REQUIRE(backlog.total() == 410);
}

TEST_CASE("another number can hold for one of them", "[policy][backlog]") {
  Backlog backlog;
  backlog.set_limits(1000, 100000, {{kBob, 500}});
  backlog.set(1, kAlice, 500);
  backlog.set(2, kBob, 500);
  REQUIRE_FALSE(backlog.full(kAlice));
  REQUIRE(backlog.full(kBob));
  backlog.set_limits(1000, 100000);
  REQUIRE_FALSE(backlog.full(kBob));
}

TEST_CASE("when all have too much, those wait who have more than their part", "[policy][backlog]") {
  Backlog backlog;
  backlog.set_limits(1000, 1200);
  backlog.set(1, kAlice, 900);
  backlog.set(2, kBob, 290);
  REQUIRE_FALSE(backlog.full(kAlice));
  backlog.set(3, kCarol, 10);
  REQUIRE(backlog.full(kAlice));
  REQUIRE_FALSE(backlog.full(kBob));
  REQUIRE_FALSE(backlog.full(kCarol));
}

TEST_CASE("what is gone is not counted", "[policy][backlog]") {
  Backlog backlog;
  backlog.set_limits(100, 100);
  backlog.set(1, kAlice, 500);
  backlog.set(1, kAlice, 70);
  REQUIRE(backlog.of(kAlice) == 70);
  backlog.erase(1);
  backlog.erase(1);
  REQUIRE(backlog.of(kAlice) == 0);
  REQUIRE(backlog.total() == 0);
}
