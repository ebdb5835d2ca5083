#include "daemon/rm12/command_repair.h"

#include "tests/unit/rm12/command_bench.h"

using namespace tbs;
using namespace tbs::rm12;
using namespace tbs::rm12::test;

using Way = CommandRepair::Way;

namespace {

const proto::Buffer kOiapCommand = command(ord::kOiap, {});
}  // namespace

TEST_CASE("for want of a slot another session is saved, and the command sent again",
          "[rm12][repair]") {
  CommandBench bench;
  bench.state.facts.auths.set(3);
  Resource& other = bench.session(1, nullptr, kOther);
  REQUIRE_FALSE(bench.decide(kOiapCommand));
  REQUIRE(bench.repair->repair_command(rc::kResources) == Way::MakeRoom);
  CHECK(bench.state.facts.auths.known == 1);
  const auto step = bench.repair->next();
  REQUIRE(step);
  CHECK(step->verb == Verb::Save);
  CHECK(step->resource == &other);
  bench.evict(other, 5);
  CHECK_FALSE(bench.repair->next());
}

TEST_CASE("room for a key takes as many steps as its sessions need", "[rm12][repair]") {
  CommandBench bench;
  Resource& key = bench.key(1, kOther);
  Resource& session = bench.session(2, &key, kOther);
  REQUIRE_FALSE(bench.decide(command(ord::kLoadKey2, words({tpm12::kReservedSrk}))));
  REQUIRE(bench.repair->repair_command(rc::kNoSpace) == Way::MakeRoom);
  CHECK(bench.repair->next()->verb == Verb::Save);
  key.saved.store({1});
  CHECK(bench.repair->next()->resource == &session);
  bench.evict(session, 5);
  CHECK(bench.repair->next()->verb == Verb::Flush);
  CHECK_FALSE(bench.repair->next());
}

TEST_CASE("what a command with sessions has cost is looked up before it is sent again",
          "[rm12][repair]") {
  CommandBench bench;
  bench.key(1, kOther);
  bench.session(2);
  const auto load = command(ord::kLoadKey2, words({tpm12::kReservedSrk}), {kFirstAuth});
  REQUIRE_FALSE(bench.decide(load));
  CHECK(bench.repair->repair_command(rc::kResources) == Way::LookAndRepeat);
  // Nothing can make room.
  bench.state.table.erase(*bench.state.table.find(kOther, Kind::Key, VirtualHandle{kFirstKey}));
  REQUIRE_FALSE(bench.decide(load));
  CHECK(bench.repair->repair_command(rc::kResources) == Way::LookAtTpm);
  CHECK(bench.repair->repair_command(rc::kAuthFail) == Way::LookAtTpm);
}

TEST_CASE("a handle that the TPM does not know puts the tables in doubt", "[rm12][repair]") {
  CommandBench bench;
  bench.key(1);
  REQUIRE_FALSE(bench.decide(command(ord::kSign, words({kFirstKey}))));
  CHECK(bench.repair->repair_command(rc::kInvalidKeyHandle) == Way::LookAndRepeat);
  // Without handles of ours the same would be said again.
  REQUIRE_FALSE(bench.decide(kOiapCommand));
  CHECK(bench.repair->repair_command(rc::kBadHandle) == Way::LookAtTpm);
  REQUIRE_FALSE(bench.decide(kOiapCommand));
  CHECK(bench.repair->repair_command(rc::kBadParameter) == Way::None);
}

TEST_CASE("a TPM 1.2 that wants to be started is, unless the client starts it", "[rm12][repair]") {
  CommandBench bench;
  REQUIRE_FALSE(bench.decide(kOiapCommand));
  CHECK(bench.repair->repair_command(rc::kInvalidPostInit) == Way::StartTpm);
  REQUIRE_FALSE(bench.decide(command(ord::kStartup, {0, 1})));
  CHECK(bench.repair->repair_command(rc::kInvalidPostInit) == Way::None);
}

TEST_CASE("a TPM 1.2 that never has room is not obeyed for ever", "[rm12][repair]") {
  CommandBench bench;
  bench.session(1, nullptr, kOther);
  REQUIRE_FALSE(bench.decide(kOiapCommand));
  const std::uint32_t code = GENERATE(rc::kResources, rc::kBadHandle, rc::kInvalidPostInit);
  int repairs = 0;
  while (repairs < 100 && bench.repair->repair_command(code) != Way::None) ++repairs;
  CHECK(repairs < 20);
  int losses = 0;
  while (losses < 100 && bench.repair->may_lose_more()) ++losses;
  CHECK(losses == 8);
}

TEST_CASE("a look that is not allowed any more is left to the next command", "[rm12][repair]") {
  CommandBench bench;
  REQUIRE_FALSE(bench.decide(kOiapCommand));
  CHECK(bench.repair->look(Way::LookAtTpm) == Way::LookAtTpm);
  CHECK(bench.repair->look(Way::StartTpm) == Way::StartTpm);
  CHECK_FALSE(bench.state.check_due);
  CHECK(bench.repair->look(Way::LookAtTpm) == Way::None);
  CHECK(bench.state.check_due);
}

TEST_CASE("a full list of saved sessions costs the one used least recently", "[rm12][repair]") {
  CommandBench bench;
  bench.evict(bench.session(1, nullptr, kOther), 5);
  Resource& victim = bench.session(2, nullptr, kOther);
  REQUIRE_FALSE(bench.decide(kOiapCommand));
  REQUIRE(bench.repair->repair_step(save(victim), rc::kTooManyContexts) == Way::MakeRoom);
  CHECK(bench.notes.dropped_sessions == std::vector<std::uint32_t>{kFirstAuth});
  const auto step = bench.repair->next();
  REQUIRE(step);
  CHECK(step->verb == Verb::FlushStray);
  CHECK(step->stray.count == 5);
  // No other is saved.
  CHECK(bench.repair->repair_step(save(victim), rc::kContextGap) == Way::None);
}

TEST_CASE("a load that finds no slot makes one, a save does not", "[rm12][repair]") {
  CommandBench bench;
  bench.key(1, kOther);
  Resource& mine = bench.key(2);
  bench.evict(mine);
  REQUIRE_FALSE(bench.decide(command(ord::kSign, words({kFirstKey}))));
  CHECK(bench.repair->repair_step(save(mine), rc::kResources) == Way::None);
  CHECK(bench.repair->repair_step(load(mine), rc::kResources) == Way::MakeRoom);
  CHECK(bench.repair->next());
  CHECK(bench.repair->repair_step(load(mine), rc::kInvalidPostInit) == Way::StartTpm);
  CHECK(bench.repair->repair_step(load(mine), rc::kAuthFail) == Way::None);
}
