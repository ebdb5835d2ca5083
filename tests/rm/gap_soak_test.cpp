// Run by hand, it takes minutes: rm_tests '[soak]'. Two hundred thousand uses of sessions by one
// context while another holds sessions and does nothing: nobody sees an error.

#include <array>
#include <cstdio>

#include "tests/rm/fixture.h"
#include "tests/rm/small_gap.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;

namespace {

constexpr int kUses = 200000;

void soak(RealTpm& tpm) {
  const auto idle = tpm.connect(kBob);
  const auto blob = idle->save(idle->start_session(TPM2_SE_HMAC));
  const ESYS_TR evicted = idle->start_session(TPM2_SE_HMAC);

  const auto busy = tpm.connect(kAlice);
  const ESYS_TR key = busy->create_primary(1);
  // More than the TPM holds at a time, so that nearly every use saves one.
  std::array<ESYS_TR, 4> sessions{};
  for (auto& session : sessions) session = busy->start_session(TPM2_SE_HMAC);
  for (int i = 0; i < kUses; ++i) {
    REQUIRE(busy->sign(key, sessions[static_cast<std::size_t>(i) % sessions.size()]));
  }

  const ESYS_TR mine = idle->create_primary(2);
  REQUIRE(idle->sign(mine, evicted));
  const ESYS_TR loaded = idle->load(*blob);
  REQUIRE(loaded != ESYS_TR_NONE);
  REQUIRE(idle->sign(mine, loaded));

  const auto& statistics = tpm.bench.manager.statistics();
  CHECK(statistics.session_saves > kUses / 2);
  std::printf("%d uses: gap %llu, %llu session saves, %llu refreshed for the gap\n", kUses,
              static_cast<unsigned long long>(tpm.bench.manager.facts().context_gap),
              static_cast<unsigned long long>(statistics.session_saves),
              static_cast<unsigned long long>(statistics.gap_refreshes));
}

}  // namespace

TEST_CASE("the gap of the TPM itself is never met", "[.][soak]") {
  RealTpm tpm{exec::Options{}};
  REQUIRE(tpm.bench.manager.facts().context_gap == 65535);
  soak(tpm);
}

TEST_CASE("a gap of 255 is never met", "[.][soak]") {
  RealTpm tpm{exec::Options{}};
  SmallGap gap(tpm.chip);
  tpm.intercept = [&gap](std::span<const std::uint8_t> command) { return gap.run(command); };
  tpm.bench.bring_up();
  REQUIRE(tpm.bench.manager.facts().context_gap == SmallGap::kGap);
  soak(tpm);
  CHECK(gap.refusals == 0);
  std::printf("%d times the TPM refused\n", gap.refusals);
}
