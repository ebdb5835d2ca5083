#include <array>

#include "tests/rm/fixture.h"
#include "tests/rm/lying_numbers.h"
#include "tests/rm/small_gap.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;

namespace {

// A resource manager that has learnt of the small gap.
struct SmallGapTpm : RealTpm {
  explicit SmallGapTpm(exec::Options options = {}) : RealTpm(std::move(options)), gap(chip) {
    intercept = [this](std::span<const std::uint8_t> command) { return gap.run(command); };
    bench.bring_up();
    bench.sent.clear();
  }
  SmallGap gap;
};

}  // namespace

TEST_CASE("many saves of sessions never reach the context gap", "[rm][gap]") {
  SmallGapTpm tpm;
  REQUIRE(tpm.bench.manager.facts().context_gap == SmallGap::kGap);
  const auto idle = tpm.connect();
  // One that its client saved, one that the resource manager saves.
  const auto blob = idle->save(idle->start_session(TPM2_SE_HMAC));
  const ESYS_TR evicted = idle->start_session(TPM2_SE_HMAC);
  const auto busy = tpm.connect();
  const ESYS_TR key = busy->create_primary(1);
  std::array<ESYS_TR, 5> sessions{};
  for (auto& session : sessions) session = busy->start_session(TPM2_SE_HMAC);
  for (int i = 0; i < 600; ++i) {
    REQUIRE(busy->sign(key, sessions[static_cast<std::size_t>(i) % sessions.size()]));
  }
  CHECK(tpm.bench.manager.statistics().session_saves > 500);
  CHECK(tpm.bench.manager.statistics().gap_refreshes > 5);
  CHECK(tpm.gap.refusals == 0);
  // The idle ones still work, and the client's blob of long ago too.
  const ESYS_TR mine = idle->create_primary(2);
  REQUIRE(idle->sign(mine, evicted));
  const ESYS_TR loaded = idle->load(*blob);
  REQUIRE(loaded != ESYS_TR_NONE);
  REQUIRE(idle->sign(mine, loaded));
}

TEST_CASE("60 saved sessions of the same age are all refreshed in time", "[rm][gap]") {
  exec::Options options;
  options.limits.sessions_per_context = 64;
  options.limits.sessions_per_user = 64;
  options.share = exec::Share::Strict;
  SmallGapTpm tpm(options);
  const auto client = tpm.connect();
  std::vector<ESYS_TR> sessions;
  for (int i = 0; i < 60; ++i) sessions.push_back(client->start_session(TPM2_SE_HMAC));
  const ESYS_TR key = client->create_primary(1);
  for (int i = 0; i < 400; ++i) REQUIRE(client->sign(key, sessions[0]));
  CHECK(tpm.gap.refusals == 0);
  for (const ESYS_TR session : sessions) REQUIRE(client->sign(key, session));
  CHECK(tpm.gap.refusals == 0);
}

TEST_CASE("a gap that others have used up is repaired", "[rm][gap]") {
  SmallGapTpm tpm;
  const auto client = tpm.connect();
  // The oldest: it has to make room for the fourth.
  REQUIRE(client->start_session(TPM2_SE_HMAC) != ESYS_TR_NONE);
  const ESYS_TR second = client->start_session(TPM2_SE_HMAC);
  const ESYS_TR third = client->start_session(TPM2_SE_HMAC);
  const auto blob = client->save(client->start_session(TPM2_SE_HMAC));
  tpm.bench.run_idle();
  tpm.gap.others_use_it_up();

  SECTION("when a session is started") {
    REQUIRE(client->start_session(TPM2_SE_HMAC) != ESYS_TR_NONE);
  }
  SECTION("when a session is saved") {
    const ESYS_TR key = client->create_primary(1);
    REQUIRE(client->sign(key, second));
    REQUIRE(client->save(second) != nullptr);
  }
  SECTION("when a session is loaded into the last free slot") {
    const ESYS_TR key = client->create_primary(1);
    REQUIRE(client->sign(key, second));
    REQUIRE(client->sign(key, third));
    REQUIRE(client->load(*blob) != ESYS_TR_NONE);
  }
  CHECK(tpm.gap.refusals > 0);
  CHECK(tpm.bench.manager.statistics().gap_refreshes > 0);
}

TEST_CASE("false sequence numbers keep nobody from being served", "[rm][gap]") {
  RealTpm tpm;
  LyingNumbers liar(tpm.chip);
  tpm.intercept = [&liar](std::span<const std::uint8_t> command) { return liar.run(command); };
  const auto idle = tpm.connect();
  const auto blob = idle->save(idle->start_session(TPM2_SE_HMAC));
  const ESYS_TR evicted = idle->start_session(TPM2_SE_HMAC);
  std::uint64_t calls = 0;
  SECTION("a gap of nothing") {
    liar.gap = 0;
  }
  SECTION("a gap of one") {
    liar.gap = 1;
  }
  SECTION("a gap without end") {
    liar.gap = 0xFFFFFFFF;
  }
  SECTION("a huge number, once") {
    liar.lie = [&calls](std::uint64_t right) {
      return calls++ == 3 ? right + (std::uint64_t{1} << 62) : right;
    };
  }
  SECTION("huge numbers from now on") {
    liar.lie = [](std::uint64_t right) { return right + (std::uint64_t{1} << 62); };
  }
  SECTION("zero, once") {
    liar.lie = [&calls](std::uint64_t right) { return calls++ == 3 ? 0 : right; };
  }
  SECTION("always the same") {
    liar.lie = [](std::uint64_t) { return 77; };
  }
  SECTION("backwards") {
    liar.lie = [](std::uint64_t right) { return std::uint64_t{1'000'000} - right; };
  }
  SECTION("at random") {
    liar.lie = [&calls](std::uint64_t) { return ++calls * 0x9E3779B97F4A7C15; };
  }
  SECTION("believable, and always too far") {
    liar.lie = [&calls](std::uint64_t) { return ++calls * 40'000; };
  }
  tpm.bench.bring_up();
  const auto busy = tpm.connect();
  const ESYS_TR key = busy->create_primary(1);
  std::array<ESYS_TR, 5> sessions{};
  for (auto& session : sessions) session = busy->start_session(TPM2_SE_HMAC);
  tpm.bench.sent.clear();
  constexpr std::size_t kCommands = 200;
  for (std::size_t i = 0; i < kCommands; ++i) {
    REQUIRE(busy->sign(key, sessions[i % sessions.size()]));
    tpm.bench.run_idle();
  }
  // Each loads what it needs and saves as much; a refresh of one more comes on top.
  CHECK(tpm.bench.sent.size() < kCommands * 16);
  const std::size_t at_rest = tpm.bench.sent.size();
  for (int i = 0; i < 20; ++i) tpm.bench.run_idle();
  CHECK(tpm.bench.sent.size() < at_rest + 200);
  const ESYS_TR mine = idle->create_primary(2);
  REQUIRE(idle->sign(mine, evicted));
  const ESYS_TR loaded = idle->load(*blob);
  REQUIRE(loaded != ESYS_TR_NONE);
  REQUIRE(idle->sign(mine, loaded));
}

TEST_CASE("for clients there is no context gap", "[rm][gap]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  TPMI_YES_NO more = TPM2_NO;
  TPMS_CAPABILITY_DATA* data = nullptr;
  REQUIRE(client->check(Esys_GetCapability(client->get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                           TPM2_CAP_TPM_PROPERTIES, TPM2_PT_CONTEXT_GAP_MAX, 1,
                                           &more, &data)));
  CHECK(data->data.tpmProperties.tpmProperty[0].value == 0xFFFFFFFF);
  Esys_Free(data);
}
