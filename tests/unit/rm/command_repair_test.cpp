#include "daemon/rm/command_repair.h"

#include "tests/unit/rm/command_bench.h"

using namespace tbs;
using namespace tbs::rm;
using namespace tbs::rm::test;

using Way = CommandRepair::Way;

TEST_CASE("for want of an object's slot another object is saved and flushed", "[rm][repair]") {
  CommandBench bench;
  Object& other = bench.object(tpm::kTransientFirst, kOther);
  bench.object(tpm::kTransientFirst + 1);
  REQUIRE_FALSE(
      bench.decide(tpm::cc::kSequenceUpdate, CommandBench::words({tpm::kTransientFirst})));
  REQUIRE(bench.repair->repair(tpm::rc::kObjectMemory, true) == Way::MakeRoom);
  auto step = bench.repair->next();
  REQUIRE(step);
  CHECK(step->verb == Verb::SaveObject);
  CHECK(step->object == &other);
  other.saved.store({1});
  step = bench.repair->next();
  REQUIRE(step);
  CHECK(step->verb == Verb::FlushObject);
  bench.state.objects.set_evicted(other);
  CHECK_FALSE(bench.repair->next());
}

TEST_CASE("what the command itself needs does not make room", "[rm][repair]") {
  CommandBench bench;
  bench.object(tpm::kTransientFirst);
  REQUIRE_FALSE(
      bench.decide(tpm::cc::kSequenceUpdate, CommandBench::words({tpm::kTransientFirst})));
  CHECK(bench.repair->repair(tpm::rc::kObjectMemory, true) == Way::None);
  CHECK(bench.repair->repair(tpm::rc::kSessionMemory, true) == Way::None);
  CHECK(bench.repair->repair(tpm::rc::kMemory, true) == Way::None);
}

TEST_CASE("a TPM that never has room is not obeyed for ever", "[rm][repair]") {
  CommandBench bench;
  bench.object(tpm::kTransientFirst, kOther);
  bench.session(TPM2_HMAC_SESSION_FIRST, kOther);
  REQUIRE_FALSE(bench.decide(tpm::cc::kHashSequenceStart, {}));
  const auto times = [&bench](std::uint32_t code) {
    int count = 0;
    while (count < 100 && bench.repair->repair(code, true) != Way::None) ++count;
    return count;
  };
  const std::uint32_t code = GENERATE(
      tpm::rc::kObjectMemory, tpm::rc::kSessionMemory, tpm::rc::kMemory, tpm::rc::kSessionHandles,
      tpm::rc::kContextGap, tpm::rc::kReferenceH0, tpm::rc::kInitialize);
  CHECK(times(code) < 20);
  int losses = 0;
  while (losses < 100 && bench.repair->may_lose_more()) ++losses;
  CHECK(losses == 8);
}

TEST_CASE("each warning has its own way", "[rm][repair]") {
  CommandBench bench;
  bench.state.sessions.set_saved(bench.session(TPM2_HMAC_SESSION_FIRST, kOther), {1}, 5, 255);
  REQUIRE_FALSE(bench.decide(tpm::cc::kHashSequenceStart, {}));
  CHECK(bench.repair->repair(tpm::rc::kReferenceH0, true) == Way::LookAtTpm);
  CHECK(bench.repair->repair(tpm::rc::kContextGap, true) == Way::MakeRoom);
  const auto step = bench.repair->next();
  REQUIRE(step);
  CHECK(step->verb == Verb::LoadSession);
  CHECK(bench.repair->repair(tpm::rc::kSize, true) == Way::None);
}

TEST_CASE("a TPM that wants to be started is, unless that is what the client asks",
          "[rm][repair]") {
  CommandBench bench;
  REQUIRE_FALSE(bench.decide(tpm::cc::kHashSequenceStart, {}));
  CHECK(bench.repair->repair(tpm::rc::kInitialize, true) == Way::StartTpm);
  REQUIRE_FALSE(bench.decide(tpm::cc::kStartup, {0, 0}));
  CHECK(bench.repair->repair(tpm::rc::kInitialize, true) == Way::None);
}

TEST_CASE("a step that fails gives its repair up", "[rm][repair]") {
  CommandBench bench;
  bench.state.sessions.set_saved(bench.session(TPM2_HMAC_SESSION_FIRST, kOther), {1}, 5, 255);
  REQUIRE_FALSE(bench.decide(tpm::cc::kHashSequenceStart, {}));
  REQUIRE(bench.repair->repair(tpm::rc::kContextGap, true) == Way::MakeRoom);
  bench.repair->give_up();
  CHECK_FALSE(bench.repair->next());
}

TEST_CASE("how many slots there are is learnt from the client's own command alone",
          "[rm][repair]") {
  CommandBench bench;
  bench.state.facts.object_slots = 6;
  for (std::uint32_t i = 0; i < 5; ++i) bench.object(tpm::kTransientFirst + i, kOther);
  REQUIRE_FALSE(bench.decide(tpm::cc::kHashSequenceStart, {}));
  bench.repair->repair(tpm::rc::kObjectMemory, false);
  CHECK(bench.state.facts.object_slots == 6);
  bench.repair->repair(tpm::rc::kObjectMemory, true);
  CHECK(bench.state.facts.object_slots == 5);
}

TEST_CASE("a persistent key may need a slot while it is used", "[rm][repair]") {
  CommandBench bench;
  bench.object(tpm::kTransientFirst, kOther);
  REQUIRE_FALSE(
      bench.decide(tpm::cc::kSequenceUpdate, CommandBench::words({tpm::kPersistentFirst + 1})));
  const std::size_t slots = bench.run->plan.object_slots;
  CHECK(bench.repair->repair(tpm::rc::kObjectMemory, true) == Way::MakeRoom);
  CHECK(bench.state.facts.persistent_takes_slot);
  CHECK(bench.run->plan.object_slots == slots + 1);
}
