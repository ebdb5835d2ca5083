#include "daemon/policy/lockout_guard.h"

#include <catch2/catch.hpp>

using namespace tbs;
using namespace tbs::policy;

namespace {

constexpr UserId kAlice{1001};
constexpr UserId kBob{1002};
constexpr UserId kCarol{1003};
constexpr std::uint64_t kNow = 1'700'000'000;

void fail(LockoutGuard& guard, UserId user, int times, std::uint64_t now = kNow) {
  for (int i = 0; i < times; ++i) guard.failed(user, now);
}

}  // namespace

TEST_CASE("a user is locked out after so many failures, until the window is over",
          "[policy][lockout]") {
  LockoutGuard guard;
  fail(guard, kAlice, 3);
  REQUIRE_FALSE(guard.locked(kAlice, kNow));
  fail(guard, kAlice, 1, kNow + 60);
  REQUIRE(guard.locked(kAlice, kNow + 60));
  REQUIRE_FALSE(guard.locked(kBob, kNow + 60));
  const std::uint64_t window = guard.limits().window;
  REQUIRE(guard.locked(kAlice, kNow + window - 1));
  // The first three leave the window, the fourth stays a minute longer.
  REQUIRE_FALSE(guard.locked(kAlice, kNow + window));
  REQUIRE(guard.entries(kNow + window).size() == 1);
  REQUIRE(guard.entries(kNow + window + 60).empty());
}

TEST_CASE("too many failures of all lock out those who have failed", "[policy][lockout]") {
  LockoutGuard guard;
  for (std::uint32_t user = 1; user <= 3; ++user) fail(guard, UserId{user}, 3);
  for (std::uint32_t user = 1; user <= 3; ++user) REQUIRE(guard.locked(UserId{user}, kNow));
  REQUIRE_FALSE(guard.locked(kAlice, kNow));
  fail(guard, kAlice, 1);
  REQUIRE(guard.locked(kAlice, kNow));
}

TEST_CASE("an administrator resets one user or all", "[policy][lockout]") {
  LockoutGuard guard;
  fail(guard, kAlice, 4);
  fail(guard, kBob, 4);
  guard.reset(kAlice);
  REQUIRE_FALSE(guard.locked(kAlice, kNow));
  REQUIRE(guard.locked(kBob, kNow));
  guard.reset_all();
  REQUIRE_FALSE(guard.locked(kBob, kNow));
}

TEST_CASE("failures outlive the daemon", "[policy][lockout]") {
  LockoutGuard before;
  fail(before, kAlice, 4);
  fail(before, kBob, 2, kNow + 5);
  LockoutGuard after;
  after.from_text(before.to_text(), kNow + 100);
  REQUIRE(after.locked(kAlice, kNow + 100));
  REQUIRE(after.entries(kNow + 100).size() == 2);
  REQUIRE(after.entries(kNow + 100)[1].failures == 2);
  // Old ones, rubbish and a clock that was wrong.
  after.from_text("1001 5\nrubbish\n-1 7\n1003 \n99999999999 1\n1003 1700009999 x\n", kNow);
  REQUIRE(after.entries(kNow).empty());
  after.from_text("17179869184 1700000000\n", kNow);  // above every number there is
  REQUIRE(after.entries(kNow).empty());
  after.from_text("1003 9999999999\n1003 9999999999", kNow);
  REQUIRE(after.entries(kNow + after.limits().window).empty());
  fail(after, kCarol, 1);
}

TEST_CASE("a tenant's failures are not those of the user with the same number",
          "[policy][lockout]") {
  const UserId tenant{kTenantBit | 1001};
  LockoutGuard before;
  fail(before, tenant, 4);
  LockoutGuard after;
  after.from_text(before.to_text(), kNow);
  REQUIRE(after.locked(tenant, kNow));
  REQUIRE_FALSE(after.locked(UserId{1001}, kNow));
}

TEST_CASE("the TPM's own limit holds whatever is configured", "[policy][lockout]") {
  LockoutGuard guard;
  guard.set_limits({.window = 60, .per_user = 1000, .total = 1000});
  guard.learn({.counter = 0, .limit = 5, .interval = 600}, kNow);
  CHECK(guard.in_force().per_user == 3);
  CHECK(guard.in_force().total == 4);
  fail(guard, kAlice, 2);
  REQUIRE_FALSE(guard.locked(kAlice, kNow));
  fail(guard, kAlice, 1);
  REQUIRE(guard.locked(kAlice, kNow));
  // Four of five: those who have taken part wait, others do not.
  fail(guard, kBob, 1);
  REQUIRE(guard.locked(kBob, kNow));
  REQUIRE_FALSE(guard.locked(kCarol, kNow));
  // The configured window is shorter than the TPM's memory.
  REQUIRE(guard.locked(kAlice, kNow + 3 * 600 - 1));
  REQUIRE_FALSE(guard.locked(kAlice, kNow + 3 * 600));
}

TEST_CASE("no user gets a TPM to its limit, however often and whenever it tries",
          "[policy][lockout]") {
  const std::uint32_t limit = GENERATE(2U, 3U, 5U, 10U, 32U);
  const std::uint64_t interval = GENERATE(10U, 600U, 7200U);
  const std::size_t configured = GENERATE(1U, 4U, 1000U);
  const std::uint64_t window = GENERATE(1U, 3600U, 28800U);
  LockoutGuard guard;
  guard.set_limits({.window = window, .per_user = configured, .total = 1000});
  guard.learn({.counter = 0, .limit = limit, .interval = static_cast<std::uint32_t>(interval)},
              kNow);
  // A TPM that forgets one failure an interval after the last change of its counter.
  std::uint64_t counter = 0;
  std::uint64_t changed = kNow;
  std::uint64_t most = 0;
  for (std::uint64_t now = kNow; now < kNow + 40 * interval; now += std::max(interval / 7, 1UL)) {
    while (counter > 0 && now >= changed + interval) {
      --counter;
      changed += interval;
    }
    while (!guard.locked(kAlice, now)) {
      guard.failed(kAlice, now);
      if (counter++ == 0) changed = now;
      most = std::max(most, counter);
    }
  }
  CHECK(most < limit);
  CHECK(most > 0);
}

TEST_CASE("the TPM's own counter counts for those who have failed", "[policy][lockout]") {
  LockoutGuard guard;
  guard.set_limits({.window = 28800, .per_user = 100, .total = 100});
  fail(guard, kAlice, 1);
  // Administrators, or programs past the daemon, have nearly locked it.
  guard.learn({.counter = 31, .limit = 32, .interval = 600}, kNow);
  REQUIRE(guard.locked(kAlice, kNow));
  REQUIRE_FALSE(guard.locked(kBob, kNow));
  // It forgets one after a while, and may be reset.
  REQUIRE_FALSE(guard.locked(kAlice, kNow + 600));
  guard.learn({.counter = 0, .limit = 32, .interval = 600}, kNow);
  REQUIRE_FALSE(guard.locked(kAlice, kNow));
  // One that does not count leaves it to the configuration.
  guard.learn({.counter = 31, .limit = 32, .interval = 0}, kNow);
  REQUIRE_FALSE(guard.locked(kAlice, kNow));
  REQUIRE(guard.in_force().per_user == 64);
}
