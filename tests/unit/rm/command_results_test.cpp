#include "daemon/rm/command_results.h"

#include "tests/unit/rm/command_bench.h"

using namespace tbs;
using namespace tbs::rm;
using namespace tbs::rm::test;

TEST_CASE("what a command makes gets a handle of the context", "[rm][results]") {
  CommandBench bench;
  REQUIRE_FALSE(bench.decide(tpm::cc::kHashSequenceStart, {}));
  CHECK_FALSE(bench.succeed(CommandBench::words({tpm::kTransientFirst + 5})));
  CHECK(bench.reply_handle() == tpm::kTransientFirst);
  const Object* const made =
      bench.state.objects.find(kContext, exec::VirtualHandle{tpm::kTransientFirst});
  REQUIRE(made != nullptr);
  CHECK(made->physical == exec::PhysicalHandle{tpm::kTransientFirst + 5});
  CHECK(made->sequence);
}

TEST_CASE("what is known not to change is what makes keys", "[rm][results]") {
  CommandBench bench;
  const auto [code, sequence] = GENERATE(table<std::uint32_t, bool>(
      {{tpm::cc::kCreatePrimary, false}, {kVendor, true}, {tpm::cc::kHashSequenceStart, true}}));
  const auto handle =
      code == tpm::cc::kHashSequenceStart ? proto::Buffer{} : CommandBench::words({tpm::kRhOwner});
  REQUIRE_FALSE(bench.decide(code, handle));
  bench.succeed(CommandBench::words({tpm::kTransientFirst + 1}));
  CHECK(bench.state.objects.loaded().front()->sequence == sequence);
}

TEST_CASE("a loaded context is known by its blob, unless it is a sequence's", "[rm][results]") {
  CommandBench bench;
  const std::uint32_t kind = GENERATE(tpm::kSavedObject, tpm::kSavedSequence);
  const auto blob = CommandBench::blob(kind, tpm::kRhOwner);
  REQUIRE_FALSE(bench.decide(tpm::cc::kContextLoad, blob));
  bench.succeed(CommandBench::words({tpm::kTransientFirst + 2}));
  const Object& object = *bench.state.objects.loaded().front();
  CHECK(object.saved.current() == (kind == tpm::kSavedObject));
  CHECK(object.sequence == (kind == tpm::kSavedSequence));
}

TEST_CASE("what a detached command makes is a stray", "[rm][results]") {
  CommandBench bench;
  REQUIRE_FALSE(bench.decide(tpm::cc::kHashSequenceStart, {}));
  bench.succeed(CommandBench::words({tpm::kTransientFirst + 5}), true);
  CHECK(bench.state.objects.count(kContext) == 0);
  CHECK(bench.state.stray_objects == std::vector{exec::PhysicalHandle{tpm::kTransientFirst + 5}});
  REQUIRE_FALSE(
      bench.decide(tpm::cc::kStartAuthSession, CommandBench::words({tpm::kRhNull, tpm::kRhNull})));
  bench.succeed(CommandBench::words({TPM2_POLICY_SESSION_FIRST + 1}), true);
  CHECK(bench.state.sessions.total() == 0);
  CHECK(bench.state.stray_sessions ==
        std::vector{exec::PhysicalHandle{TPM2_POLICY_SESSION_FIRST + 1}});
}

TEST_CASE("a session keeps the TPM's handle and belongs to its context", "[rm][results]") {
  CommandBench bench;
  REQUIRE_FALSE(
      bench.decide(tpm::cc::kStartAuthSession, CommandBench::words({tpm::kRhNull, tpm::kRhNull})));
  bench.succeed(CommandBench::words({TPM2_POLICY_SESSION_FIRST + 1}));
  CHECK(bench.reply_handle() == TPM2_POLICY_SESSION_FIRST + 1);
  const Session* const session =
      bench.state.sessions.find(exec::PhysicalHandle{TPM2_POLICY_SESSION_FIRST + 1});
  REQUIRE(session != nullptr);
  CHECK(session->owner == kContext);
  CHECK(session->principal == kAlice);
}

TEST_CASE("what a command ends is dropped", "[rm][results]") {
  CommandBench bench;
  bench.object(tpm::kTransientFirst + 1, kContext, true);
  REQUIRE_FALSE(
      bench.decide(tpm::cc::kSequenceComplete, CommandBench::words({tpm::kTransientFirst})));
  bench.succeed({});
  CHECK(bench.state.objects.count(kContext) == 0);
}

TEST_CASE("a command that ends a sequence leaves the key that it names", "[rm][results]") {
  CommandBench bench;
  bench.state.commands.load(
      std::array{std::uint32_t{0x1A4} | TPMA_CC_FLUSHED | 2U << TPMA_CC_CHANDLES_SHIFT});
  const auto both = CommandBench::words({tpm::kTransientFirst, tpm::kTransientFirst + 1});
  SECTION("it is known which is which") {
    bench.object(tpm::kTransientFirst + 1, kContext, true);
    Object& key = bench.object(tpm::kTransientFirst + 2, kContext);
    REQUIRE_FALSE(bench.decide(0x1A4, both));
    CHECK_FALSE(bench.succeed({}));
    CHECK(bench.state.objects.of(kContext) == std::vector{&key});
  }
  SECTION("it is not, and the TPM is asked") {
    const bool sequences = GENERATE(true, false);
    bench.object(tpm::kTransientFirst + 1, kContext, sequences);
    bench.object(tpm::kTransientFirst + 2, kContext, sequences);
    REQUIRE_FALSE(bench.decide(0x1A4, both));
    CHECK(bench.succeed({}) == TpmProbe::Reason::Removal);
    CHECK(bench.state.objects.count(kContext) == 2);
  }
}

TEST_CASE("a session that a detached command of any kind makes is a stray", "[rm][results]") {
  CommandBench bench;
  bench.state.commands.load(std::array{std::uint32_t{0x1AB} | TPMA_CC_RHANDLE});
  REQUIRE_FALSE(bench.decide(0x1AB, {}));
  bench.succeed(CommandBench::words({TPM2_HMAC_SESSION_FIRST + 1}), true);
  CHECK(bench.state.sessions.total() == 0);
  CHECK(bench.state.stray_sessions.size() == 1);
}

TEST_CASE("commands that remove objects by the dozen are looked after", "[rm][results]") {
  CommandBench bench;
  Object& key = bench.object(tpm::kTransientFirst + 1);
  key.hierarchy = tpm::kRhOwner;
  key.saved.store({1});
  bench.state.objects.set_evicted(key);
  SECTION("TPM2_Clear") {
    REQUIRE_FALSE(bench.decide(tpm::cc::kClear, CommandBench::words({tpm::kRhLockout})));
    CHECK(bench.succeed({}) == TpmProbe::Reason::Removal);
    CHECK(bench.state.objects.count(kContext) == 0);
    CHECK(bench.state.lockout_due);
  }
  SECTION("a hierarchy that is switched off") {
    const bool on = GENERATE(false, true);
    auto body = CommandBench::words({tpm::kRhOwner, tpm::kRhOwner});
    body.push_back(on ? 1 : 0);
    REQUIRE_FALSE(bench.decide(tpm::cc::kHierarchyControl, body));
    CHECK(bench.succeed({}) == TpmProbe::Reason::Removal);
    CHECK(bench.state.objects.count(kContext) == (on ? 1 : 0));
  }
  SECTION("a start") {
    REQUIRE_FALSE(bench.decide(tpm::cc::kStartup, {0, 0}));
    CHECK(bench.succeed({}) == TpmProbe::Reason::Restart);
  }
}
