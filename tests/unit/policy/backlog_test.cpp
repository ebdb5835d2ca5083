#include "daemon/policy/backlog.h"

#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::policy;

namespace {

constexpr AccountId kAlice = account_of(UserId{1});
constexpr AccountId kBob = account_of(UserId{2});
constexpr AccountId kCarol = account_of(UserId{3});
constexpr AccountId kAdministrator = administrators_account(UserId{0});

}  // namespace

TEST_CASE("an account with too much waiting is held up, and nobody else", "[policy][backlog]") {
  Backlog backlog;
  backlog.set_limits(1000, 100000);
  backlog.change(kAlice, 0, 600);
  backlog.change(kAlice, 0, 399);
  backlog.change(kBob, 0, 10);
  REQUIRE_FALSE(backlog.full(kAlice));
  backlog.change(kAlice, 399, 400);
  REQUIRE(backlog.full(kAlice));
  REQUIRE_FALSE(backlog.full(kBob));
  REQUIRE(backlog.peak().who == kAlice);
  REQUIRE(backlog.peak().amount == 1000);
  backlog.change(kAlice, 600, 0);
  REQUIRE_FALSE(backlog.full(kAlice));
  REQUIRE(backlog.total() == 410);
}

TEST_CASE("another number can hold for one of them", "[policy][backlog]") {
  Backlog backlog;
  backlog.set_limits(1000, 100000, {{kBob, 500}});
  backlog.change(kAlice, 0, 500);
  backlog.change(kBob, 0, 500);
  REQUIRE_FALSE(backlog.full(kAlice));
  REQUIRE(backlog.full(kBob));
  backlog.set_limits(1000, 100000);
  REQUIRE_FALSE(backlog.full(kBob));
}

TEST_CASE("when all have too much, those wait who have more than their part", "[policy][backlog]") {
  Backlog backlog;
  backlog.set_limits(2000, 1600);
  backlog.change(kAlice, 0, 1100);
  backlog.change(kBob, 0, 290);
  REQUIRE_FALSE(backlog.full(kAlice));
  backlog.change(kCarol, 0, 10);
  REQUIRE(backlog.full(kAlice));
  REQUIRE_FALSE(backlog.full(kBob));
  REQUIRE_FALSE(backlog.full(kCarol));
}

TEST_CASE("a part of the whole is for administrators", "[policy][backlog]") {
  Backlog backlog;
  backlog.set_limits(2000, 1600);
  backlog.change(kAlice, 0, 1400);
  REQUIRE(backlog.full(kAlice));
  backlog.change(kAdministrator, 0, 150);
  REQUIRE_FALSE(backlog.full(kAdministrator));
  backlog.change(kAdministrator, 150, 2000);
  REQUIRE(backlog.full(kAdministrator));
}

TEST_CASE("what is gone is not counted", "[policy][backlog]") {
  Backlog backlog;
  backlog.set_limits(100, 100);
  backlog.change(kAlice, 0, 500);
  backlog.change(kAlice, 500, 70);
  REQUIRE(backlog.of(kAlice) == 70);
  backlog.change(kAlice, 70, 0);
  REQUIRE(backlog.of(kAlice) == 0);
  REQUIRE(backlog.total() == 0);
  REQUIRE_FALSE(backlog.peak().who);
}
