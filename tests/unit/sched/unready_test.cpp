#include "daemon/sched/unready.h"

#include "proto/tpm/command_builder.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"

using namespace tbs;
using namespace tbs::sched;
using namespace std::chrono_literals;

namespace {

SharedCommand command(std::uint64_t context, std::uint32_t code = TPM2_CC_Sign) {
  return test::client_command(
      {.context = ContextId{context}, .bytes = tpm::CommandBuilder(code).finish()});
}

constexpr TimePoint kStart = TimePoint() + 1h;

}  // namespace

TEST_CASE("one that the TPM is not ready for is no reason to spare others", "[sched][later]") {
  Unready unready;
  for (int times = 0; times < 3; ++times) {
    unready.refused(*command(1), exec::Later::Command, kStart);
    CHECK_FALSE(unready.all_until(kStart).has_value());
    CHECK_FALSE(unready.until(*command(2), kStart).has_value());
  }
}

TEST_CASE("a TPM that puts off one client after the other is left alone", "[sched][later]") {
  Unready unready;
  TimePoint now = kStart;
  Duration longest{};
  std::uint64_t asked = 0;
  for (; now < kStart + 10s; ++asked) {
    unready.refused(*command(asked), exec::Later::Command, now);
    const auto until = unready.all_until(now);
    if (!until) continue;
    longest = std::max(longest, *until - now);
    CHECK_FALSE(unready.all_until(*until).has_value());
    now = *until;
  }
  CHECK(longest == 100ms);
  CHECK(asked < 150);
  unready.refused(*command(1), exec::Later::Command, now);
  REQUIRE(unready.all_until(now).has_value());
  unready.taken(*command(2));
  CHECK_FALSE(unready.all_until(now).has_value());
  // The next time it begins with a short pause again.
  unready.refused(*command(1), exec::Later::Command, now);
  unready.refused(*command(2), exec::Later::Command, now);
  CHECK(unready.all_until(now) == now + 1ms);
}

TEST_CASE("a limit on writes to the flash is about all of them, and nothing else",
          "[sched][later]") {
  Unready unready;
  const auto write = command(1, TPM2_CC_NV_Write);
  const auto other = command(2, TPM2_CC_EvictControl);
  const auto sign = command(3);
  TimePoint now = kStart;
  unready.refused(*write, exec::Later::NvWrites, now);
  CHECK(unready.until(*other, now) == now + 1ms);
  CHECK_FALSE(unready.until(*sign, now).has_value());
  CHECK_FALSE(unready.all_until(now).has_value());
  // Each pause is as long as all before it.
  now += 1ms;
  CHECK_FALSE(unready.until(*other, now).has_value());
  unready.refused(*other, exec::Later::NvWrites, now);
  CHECK(unready.until(*write, now) == now + 1ms);
  now += 3s;
  SECTION("the limit is still there") {
    for (int times = 0; times < 20; ++times) {
      unready.refused(*write, exec::Later::NvWrites, now);
      now = *unready.until(*other, now);
    }
    unready.refused(*write, exec::Later::NvWrites, now);
    CHECK(unready.until(*other, now) == now + 1s);
    unready.taken(*sign);
    CHECK(unready.until(*other, now) == now + 1s);
    unready.taken(*write);
    CHECK_FALSE(unready.until(*other, now).has_value());
  }
  SECTION("it is another time") {
    unready.refused(*write, exec::Later::NvWrites, now);
    CHECK(unready.until(*other, now) == now + 1ms);
  }
}
