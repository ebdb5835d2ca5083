#include "daemon/policy/lockout_time.h"

#include "tests/support/catch2.h"

using namespace tbs;
using policy::LockoutTime;

namespace {

constexpr MachineTime kThen = {.since_boot = 5000, .wall = 1'700'000'000};
constexpr std::uint64_t kHour = 3600;

// What a daemon finds that starts at `now`, after another start of the machine.
std::uint64_t passed_until(const LockoutTime& before, LockoutTime& after, const MachineTime& now) {
  REQUIRE(after.restore(before.to_text(kThen), now));
  return after.now(now) - before.now(kThen);
}

}  // namespace

TEST_CASE("the time goes on over a restart of the daemon, whatever the wall clock says",
          "[policy][lockout]") {
  const LockoutTime before("a");
  LockoutTime after("a");
  CHECK(passed_until(before, after, {.since_boot = 5100, .wall = 1}) == 100);
  CHECK(passed_until(before, after, {.since_boot = 5100, .wall = 2'000'000'000}) == 100);
}

TEST_CASE("the hours without power count", "[policy][lockout]") {
  const LockoutTime before("a");
  LockoutTime after("b");
  CHECK(passed_until(before, after, {.since_boot = 50, .wall = kThen.wall + 72 * kHour}) ==
        72 * kHour);
}

TEST_CASE("the TPM's clock counts where the wall clock has stood still", "[policy][lockout]") {
  LockoutTime before("a");
  before.learn_tpm_clock(1'000'000, {.since_boot = 4000, .wall = 0});  // 2000 s at kThen
  LockoutTime after("b");
  const MachineTime now = {.since_boot = 50, .wall = 10};
  REQUIRE(passed_until(before, after, now) == 0);
  after.learn_tpm_clock((2000 + 5 * kHour) * 1000, now);
  CHECK(after.now(now) - before.now(kThen) == 5 * kHour);
  // Only once.
  after.learn_tpm_clock((2000 + 50 * kHour) * 1000, now);
  CHECK(after.now(now) - before.now(kThen) == 5 * kHour);
}

TEST_CASE("the longer of what the clocks say counts", "[policy][lockout]") {
  LockoutTime before("a");
  before.learn_tpm_clock(1'000'000, kThen);
  LockoutTime after("b");
  const MachineTime now = {.since_boot = 50, .wall = kThen.wall + 8 * kHour};
  REQUIRE(passed_until(before, after, now) == 8 * kHour);
  after.learn_tpm_clock((1000 + 2 * kHour) * 1000, now);
  CHECK(after.now(now) - before.now(kThen) == 8 * kHour);
  // One that was cleared meanwhile begins anew.
  LockoutTime cleared("b");
  REQUIRE(passed_until(before, cleared, now) == 8 * kHour);
  cleared.learn_tpm_clock(1000, now);
  CHECK(cleared.now(now) - before.now(kThen) == 8 * kHour);
}

TEST_CASE("a start of the machine that is not known is another one", "[policy][lockout]") {
  const LockoutTime before("");
  LockoutTime after("");
  // The same text for two of them: the time since then cannot have run backwards.
  CHECK(passed_until(before, after, {.since_boot = 50, .wall = kThen.wall + 60}) == 60);
}

TEST_CASE("what is no such line is refused", "[policy][lockout]") {
  LockoutTime time("a");
  const MachineTime now = {.since_boot = 7, .wall = 8};
  const std::uint64_t before = time.now(now);
  for (const char* const line :
       {"", "time", "1001 1700000000", "time 1000000500 5 6 7", "time -1 5 6 7 a", "time 5 5 6 7 a",
        "time 18446744073709551615 5 6 7 a", "clock 1000000500 5 6 7 a"}) {
    CAPTURE(line);
    CHECK_FALSE(time.restore(line, now));
    CHECK(time.now(now) == before);
  }
  CHECK(time.restore("time 1000000500 5 6 7 a", now));
  CHECK(time.now(now) == 1'000'000'502);
  // A wall clock that is off by ages does not count for more than ten years.
  CHECK(time.restore("time 1000000500 5 6 7 other", {.since_boot = 7, .wall = UINT64_MAX}));
  CHECK(time.now({.since_boot = 7, .wall = 0}) == 1'000'000'500 + 10ULL * 365 * 24 * 3600);
}
