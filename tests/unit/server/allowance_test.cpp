#include "daemon/server/allowance.h"

#include "tests/support/catch2.h"

using namespace tbs;
using namespace std::chrono_literals;
using server::Allowance;

namespace {

constexpr AccountId kAccount = account_of(UserId{1000});
constexpr TimePoint kStart{1h};

}  // namespace

TEST_CASE("what was not used is not saved up", "[server][allowance]") {
  Allowance allowance;
  allowance.spend(kAccount, 1us, kStart);
  const TimePoint later = kStart + 1h;
  CHECK_FALSE(allowance.free_at(kAccount, later));
  allowance.spend(kAccount, 10ms, later);
  CHECK(allowance.free_at(kAccount, later) == later + 10ms * Allowance::kPart - Allowance::kAtOnce);
}

TEST_CASE("accounts do not pay for each other", "[server][allowance]") {
  Allowance allowance;
  allowance.spend(kAccount, 1s, kStart);
  CHECK(allowance.free_at(kAccount, kStart));
  CHECK_FALSE(allowance.free_at(account_of(UserId{1001}), kStart));
}

TEST_CASE("accounts that owe nothing are forgotten", "[server][allowance]") {
  Allowance allowance;
  TimePoint now = kStart;
  for (std::uint32_t user = 0; user < 100'000; ++user, now += 1ms) {
    allowance.spend(account_of(UserId{user}), 10us, now);
  }
  CHECK(allowance.size() < 256);
}
