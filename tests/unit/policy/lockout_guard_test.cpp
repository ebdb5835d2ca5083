#include "daemon/policy/lockout_guard.h"

#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::policy;

namespace {

constexpr AccountId kAlice = account_of(UserId{1001});
constexpr AccountId kBob = account_of(UserId{1002});
constexpr AccountId kCarol = account_of(UserId{1003});
constexpr std::uint64_t kNow = 1'700'000'000;

void fail(LockoutGuard& guard, AccountId user, int times, std::uint64_t now = kNow) {
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
  for (std::uint32_t user = 1; user <= 3; ++user) fail(guard, AccountId{user}, 3);
  for (std::uint32_t user = 1; user <= 3; ++user) REQUIRE(guard.locked(AccountId{user}, kNow));
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
  after.from_text(before.to_text(), kNow + 100, kNow + 100);
  REQUIRE(after.locked(kAlice, kNow + 100));
  REQUIRE(after.entries(kNow + 100).size() == 2);
  REQUIRE(after.entries(kNow + 100)[1].failures == 2);
  // Old ones, rubbish and a clock that was wrong.
  after.from_text("1001 5\nrubbish\n-1 7\n1003 \n99999999999 1\n1003 1700009999 x\n", kNow, kNow);
  REQUIRE(after.entries(kNow).empty());
  after.from_text("17179869184 1700000000\n", kNow, kNow);  // above every number there is
  REQUIRE(after.entries(kNow).empty());
  after.from_text("1003 9999999999\n1003 9999999999", kNow, kNow);
  REQUIRE(after.entries(kNow + after.limits().window).empty());
  fail(after, kCarol, 1);
  // By another clock, which is 5 minutes ahead.
  after.from_text("1003 1700000200\n", kNow + 300, kNow);
  REQUIRE(after.entries(kNow).front().until == kNow - 100 + after.limits().window);
}

TEST_CASE("a tenant's failures are not those of the user with the same number",
          "[policy][lockout]") {
  const AccountId tenant = account_of(UserId{kTenantBit | 1001});
  LockoutGuard before;
  fail(before, tenant, 4);
  LockoutGuard after;
  after.from_text(before.to_text(), kNow, kNow);
  REQUIRE(after.locked(tenant, kNow));
  REQUIRE_FALSE(after.locked(account_of(UserId{1001}), kNow));
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
  // Three of five: those who have taken part wait, others do not.
  REQUIRE_FALSE(guard.locked(kBob, kNow));
  fail(guard, kBob, 1);
  // Four of five: the last one is the administrators'.
  REQUIRE(guard.locked(kBob, kNow));
  REQUIRE(guard.locked(kCarol, kNow));
  // The TPM has forgotten one, and the configured window is over.
  guard.learn({.counter = 3, .limit = 5, .interval = 600}, kNow + 600);
  REQUIRE_FALSE(guard.locked(kCarol, kNow + 600));
  REQUIRE(guard.locked(kAlice, kNow + 600));
  // Time alone changes nothing while the TPM has forgotten none.
  guard.learn({.counter = 4, .limit = 5, .interval = 600}, kNow + 600);
  REQUIRE(guard.locked(kCarol, kNow + 360'000));
}

namespace {

// A TPM that forgets one failure an interval after the last change of its counter, and users and
// administrators who fail whenever they may.
class Crowd {
 public:
  Crowd(std::uint32_t limit, std::uint64_t interval) : limit_(limit), interval_(interval) {}

  void set_limits(const LockoutLimits& limits) { guard_.set_limits(limits); }
  void pass(std::uint64_t seconds) {
    now_ += seconds;
    while (counter_ > 0 && now_ >= changed_ + interval_) {
      --counter_;
      changed_ += interval_;
    }
  }
  void look() {
    guard_.learn(
        {.counter = counter_, .limit = limit_, .interval = static_cast<std::uint32_t>(interval_)},
        now_);
  }
  bool attempt(AccountId user) {
    if (guard_.locked(user, now_) && guard_.knowledge_is_old(now_)) look();
    if (guard_.locked(user, now_)) return false;
    fail_on_tpm();
    guard_.failed(user, now_);
    return true;
  }
  // The TPM says nothing of it to the guard before the next look.
  void fail_on_tpm() {
    if (counter_++ == 0) changed_ = now_;
    most_ = std::max(most_, counter_);
  }
  [[nodiscard]] std::uint32_t counter() const { return counter_; }
  [[nodiscard]] std::uint32_t most() const { return most_; }

 private:
  std::uint32_t limit_;
  std::uint64_t interval_;
  std::uint64_t now_ = kNow;
  std::uint32_t counter_ = 0;
  std::uint64_t changed_ = kNow;
  std::uint32_t most_ = 0;
  LockoutGuard guard_;
};

}  // namespace

TEST_CASE("no number of users gets a TPM to its limit, however often and whenever they try",
          "[policy][lockout]") {
  const std::uint32_t limit = GENERATE(2U, 3U, 5U, 10U, 32U);
  const std::uint64_t interval = GENERATE(10U, 7200U);
  const std::size_t configured = GENERATE(1U, 4U, 1000U);
  const std::uint64_t window = GENERATE(1U, 28800U);
  const std::uint32_t users = GENERATE(1U, 3U, 20U);
  Crowd crowd(limit, interval);
  crowd.set_limits({.window = window, .per_user = configured, .total = 1000});
  crowd.look();
  for (std::uint64_t step = 0; step < 120; ++step) {
    crowd.pass(std::max(interval / 7, std::uint64_t{1}));
    for (std::uint32_t user = 0; user < users; ++user) {
      while (crowd.attempt(AccountId{1000 + user})) {
      }
    }
    // One attempt is left for an administrator.
    REQUIRE(crowd.counter() < limit);
  }
  CHECK(crowd.most() < limit);
  CHECK(crowd.most() > 0);
}

TEST_CASE("with one mistake each, users leave an attempt to administrators", "[policy][lockout]") {
  Crowd crowd(3, 1000);
  crowd.look();
  CHECK(crowd.attempt(kAlice));
  CHECK(crowd.attempt(kBob));
  CHECK_FALSE(crowd.attempt(kCarol));
  CHECK(crowd.counter() == 2);
  // The TPM has forgotten one: who has failed comes after who has not.
  crowd.pass(1000);
  CHECK_FALSE(crowd.attempt(kAlice));
  CHECK(crowd.attempt(kCarol));
  // And all: everybody is free again.
  crowd.pass(2000);
  CHECK(crowd.attempt(kAlice));
}

TEST_CASE("failures that others have made on the TPM count", "[policy][lockout]") {
  LockoutGuard guard;
  guard.set_limits({.window = 28800, .per_user = 100, .total = 100});
  fail(guard, kAlice, 1);
  // Administrators, or programs past the daemon, have nearly locked it.
  guard.learn({.counter = 30, .limit = 32, .interval = 600}, kNow);
  REQUIRE(guard.locked(kAlice, kNow));
  REQUIRE_FALSE(guard.locked(kBob, kNow));
  guard.learn({.counter = 31, .limit = 32, .interval = 600}, kNow);
  REQUIRE(guard.locked(kBob, kNow));
  // It forgets one after a while.
  guard.learn({.counter = 29, .limit = 32, .interval = 600}, kNow);
  REQUIRE_FALSE(guard.locked(kAlice, kNow));
  // One that does not count leaves it to the configuration.
  guard.learn({.counter = 31, .limit = 32, .interval = 0}, kNow);
  REQUIRE_FALSE(guard.locked(kAlice, kNow));
  REQUIRE(guard.in_force().per_user == 64);
}

TEST_CASE("when the TPM has forgotten all failures, the guard has", "[policy][lockout]") {
  LockoutGuard guard;
  fail(guard, kAlice, 4);
  CHECK_FALSE(guard.learn({.counter = 1, .limit = 32, .interval = 600}, kNow));
  REQUIRE(guard.locked(kAlice, kNow));
  CHECK(guard.learn({.counter = 0, .limit = 32, .interval = 600}, kNow));
  REQUIRE_FALSE(guard.locked(kAlice, kNow));
  CHECK(guard.entries(kNow).empty());
  // A TPM without such protection forgets nothing, it never knew.
  fail(guard, kAlice, 4);
  CHECK_FALSE(guard.learn({.counter = 0, .limit = 32, .interval = 0}, kNow));
  REQUIRE(guard.locked(kAlice, kNow));
}

TEST_CASE("a TPM that allows a single failure has none to keep", "[policy][lockout]") {
  LockoutGuard guard;
  guard.learn({.counter = 0, .limit = 1, .interval = 600}, kNow);
  REQUIRE_FALSE(guard.locked(kAlice, kNow));
}

TEST_CASE("the TPM is asked again after a while, and no more often", "[policy][lockout]") {
  LockoutGuard guard;
  CHECK_FALSE(guard.knowledge_is_old(kNow));  // there is nobody to ask
  guard.learn({.counter = 1, .limit = 32, .interval = 600}, kNow);
  CHECK_FALSE(guard.knowledge_is_old(kNow + 9));
  CHECK(guard.knowledge_is_old(kNow + 10));
  guard.asked(kNow + 10);
  CHECK_FALSE(guard.knowledge_is_old(kNow + 11));
  guard.learn({.counter = 1, .limit = 32, .interval = 1}, kNow);
  CHECK(guard.knowledge_is_old(kNow + 1));
}
