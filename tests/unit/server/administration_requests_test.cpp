#include "daemon/server/administration_requests.h"

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"
#include "version.h"

using namespace tbs;
using namespace tbs::test;
using proto::Status;
using namespace std::chrono_literals;

namespace {

void submit(FakeLink& link, std::uint64_t id, std::uint32_t priority = 200) {
  const proto::Buffer command = tpm_message(tpm::cc::kGetRandom);
  link.send_from_client(id, proto::Submit{.priority = priority, .command = command});
}

proto::ContextList list(FakeLink& link, std::uint64_t after = 0) {
  link.send_from_client(99, proto::ListContexts{.after = after});
  return link.take_only<proto::ContextList>().value();
}

const proto::LimitEntry& limit(const proto::LimitList& list, const std::string& name) {
  return *std::ranges::find(list.entries, name, &proto::LimitEntry::name);
}

}  // namespace

TEST_CASE("contexts are listed, observers are not", "[server][administration]") {
  ServerBench bench;
  const auto first = bench.context(1000);
  bench.observer(1001);
  const auto second = bench.context(1002);
  const auto page = list(*bench.observer(1003));
  CHECK(page.status == Status::Success);
  CHECK(page.more == 0);
  REQUIRE(page.entries.size() == 2);
  CHECK(page.entries[0].context == first->id());
  CHECK(page.entries[0].uid == 1000);
  CHECK(page.entries[0].pid == 1000 + first->id());
  CHECK(page.entries[0].program == "prog");
  CHECK(page.entries[0].running == 0);
  CHECK(page.entries[1].context == second->id());
}

TEST_CASE("what a context has waiting is listed", "[server][administration]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  submit(*link, 2, 210);
  submit(*link, 3, 220);
  bench.sink.running[ContextId{link->id()}] = {.state = sched::RunState::Running,
                                               .priority = 210,
                                               .command_code = tpm::cc::kGetRandom,
                                               .since = bench.environment.time};
  bench.environment.time += std::chrono::milliseconds(7);
  const auto observer = bench.observer(0);
  const auto entry = list(*observer).entries.at(0);
  CHECK(entry.queued == 1);
  CHECK(entry.running == 1);
  CHECK(entry.command == tpm::cc::kGetRandom);
  CHECK(entry.priority == 210);
  CHECK(entry.running_us == 7000);
  CHECK(entry.queued_bytes == 20);
  CHECK(entry.submitted == 2);

  // Detached: it was answered, and is on the TPM all the same.
  bench.sink.answer(tpm_message(0));
  bench.sink.running[ContextId{link->id()}].state = sched::RunState::Detached;
  CHECK(list(*observer).entries.at(0).queued == 1);
  CHECK(list(*observer).entries.at(0).running == 2);
  bench.sink.running.clear();
  CHECK(list(*observer).entries.at(0).priority == 220);
}

TEST_CASE("a long list comes in pages", "[server][administration]") {
  ServerBench bench;
  bench.configure({.contexts = 1000, .contexts_per_user = 1000});
  for (int i = 0; i < 100; ++i) bench.context(1000);
  const auto observer = bench.observer(0);
  const auto first = list(*observer);
  CHECK(first.more == 1);
  REQUIRE(first.entries.size() == proto::kMaxContextsPerPage);
  const auto second = list(*observer, first.entries.back().context);
  CHECK(second.more == 0);
  REQUIRE(second.entries.size() == 100 - proto::kMaxContextsPerPage);
  CHECK(second.entries.front().context == first.entries.back().context + 1);
}

TEST_CASE("who may cancel another context", "[server][administration]") {
  ServerBench bench;
  const auto target = bench.context(1000);
  submit(*target, 2);
  const proto::CancelContext request{.context = target->id()};

  const auto stranger = bench.observer(1001);
  stranger->send_from_client(2, request);
  CHECK(stranger->take_only<proto::CancelContextReply>()->status == Status::AccessDenied);
  CHECK(bench.sink.canceled.empty());
  REQUIRE(bench.audit.of(proto::Event::Denied).size() == 1);
  CHECK(bench.audit.of(proto::Event::Denied)[0].fields.uid == 1001U);

  const auto same = bench.observer(1000);
  same->send_from_client(2, request);
  CHECK(same->take_only<proto::CancelContextReply>()->status == Status::Success);
  CHECK(target->take_only<proto::Result>()->status == Status::CommandCanceled);

  const auto admin = bench.observer(0);
  admin->send_from_client(2, request);
  CHECK(admin->take_only<proto::CancelContextReply>()->status == Status::Success);
  CHECK(bench.sink.canceled.size() == 2);
  const auto entries = bench.audit.of(proto::Event::Cancelled);
  REQUIRE(entries.size() == 2);
  CHECK(entries[1].fields.context == target->id());
  CHECK(entries[1].fields.uid == 0U);
}

TEST_CASE("what a context holds, for who may know", "[server][administration]") {
  ServerBench bench;
  const auto target = bench.context(1000);
  bench.sink.held = {{.handle = 0x80000000, .kind = proto::HoldingKind::Sequence, .loaded = 1},
                     {.handle = 0x03000001, .kind = proto::HoldingKind::Session, .saved = 1}};
  const proto::ListHoldings request{.context = target->id()};
  const auto asked_by = [&](std::uint32_t uid, const proto::ListHoldings& question) {
    const auto observer = bench.observer(uid);
    observer->send_from_client(2, question);
    return observer->take_only<proto::HoldingList>().value();
  };
  for (const std::uint32_t uid : {1000U, 0U}) {
    const auto list = asked_by(uid, request);
    CHECK(list.status == Status::Success);
    CHECK(list.more == 0);
    REQUIRE(list.entries.size() == 2);
    CHECK(list.entries[0].handle == 0x80000000);
    CHECK(list.entries[0].kind == proto::HoldingKind::Sequence);
    CHECK(list.entries[1].saved == 1);
  }
  const auto refused = asked_by(1001, request);
  CHECK(refused.status == Status::AccessDenied);
  CHECK(refused.entries.empty());
  CHECK(bench.audit.of(proto::Event::Denied).size() == 1);
  CHECK(asked_by(0, {.context = 77}).status == Status::InvalidContext);
  // More than a list has.
  bench.sink.held.resize(proto::kMaxHoldings);
  CHECK(asked_by(0, request).more == 0);
  bench.sink.held.emplace_back();
  CHECK(asked_by(0, request).more == 1);
  CHECK(asked_by(0, request).entries.size() == proto::kMaxHoldings);
}

TEST_CASE("what the TPM does, and for whom", "[server][administration]") {
  ServerBench bench;
  const auto busy = bench.context(1000);
  const auto patient = bench.context(1001);
  const auto observer = bench.observer(1002);
  const auto ask = [&observer](std::uint64_t after = 0) {
    observer->send_from_client(98, proto::ListActivity{.after = after});
    return observer->take_only<proto::ActivityList>().value();
  };
  CHECK(ask().work == proto::TpmWork::None);
  CHECK(ask().entries.at(0).reason == proto::WaitReason::None);

  bench.sink.used.objects = {.held = 7, .loaded = 2, .slots = 3};
  bench.sink.used.sessions = {.held = 5, .loaded = 4, .slots = 6};
  bench.environment.time += 1s;
  const TimePoint now = bench.environment.time;
  const ContextId runs{busy->id()};
  bench.sink.running[runs].command_code = tpm::cc::kGetRandom;
  bench.sink.at_work = {.work = sched::WorkView{.context = runs, .since = now - 3ms},
                        .asleep = false,
                        .highest = 300};
  bench.sink.activities[runs] = {.worked = 9ms, .waiting = {}};
  auto& waits = bench.sink.activities[ContextId{patient->id()}].waiting;
  waits = {.since = now - 2ms, .priority = 300, .counts_as = 300};
  const auto list = ask();
  CHECK(list.status == Status::Success);
  CHECK(list.more == 0);
  CHECK(list.work == proto::TpmWork::Command);
  CHECK(list.command == tpm::cc::kGetRandom);
  CHECK(list.context == busy->id());
  CHECK(list.work_us == 3000);
  // In parentheses: clang takes what Catch2 compares with for a tuple else.
  CHECK(
      (std::tuple(list.objects, list.objects_loaded, list.object_slots) == std::tuple(7U, 2U, 3U)));
  CHECK((std::tuple(list.sessions, list.sessions_loaded, list.session_slots) ==
         std::tuple(5U, 4U, 6U)));
  REQUIRE(list.entries.size() == 2);
  CHECK(list.entries[0].context == busy->id());
  CHECK(list.entries[0].tpm_us == 9000);
  CHECK(list.entries[0].reason == proto::WaitReason::None);
  CHECK(list.entries[1].waiting_us == 2000);
  CHECK(list.entries[1].reason == proto::WaitReason::Turn);
  CHECK(ask(busy->id()).entries.size() == 1);

  waits->counts_as = 200;
  CHECK(ask().entries[1].reason == proto::WaitReason::HighShare);
  waits->priority = 200;
  CHECK(ask().entries[1].reason == proto::WaitReason::Priority);

  // What the TPM does for nobody.
  using sched::WorkKind;
  for (const auto& [kind, work] : {std::pair(WorkKind::Maintenance, proto::TpmWork::Own),
                                   std::pair(WorkKind::IdleMaintenance, proto::TpmWork::Own),
                                   std::pair(WorkKind::BringUp, proto::TpmWork::Starting),
                                   std::pair(WorkKind::Shutdown, proto::TpmWork::Ending)}) {
    bench.sink.at_work.work = sched::WorkView{.kind = kind, .since = now};
    bench.sink.view.on_device = sched::OnDevice{.command_code = tpm::cc::kFlushContext};
    CHECK(ask().work == work);
    CHECK(ask().command == tpm::cc::kFlushContext);
    CHECK(ask().context == 0);
  }
  bench.sink.at_work = {.work = {}, .asleep = true};
  CHECK(ask().work == proto::TpmWork::Asleep);
  CHECK(ask().command == 0);
}

TEST_CASE("what is no context cannot be cancelled", "[server][administration]") {
  ServerBench bench;
  const auto admin = bench.observer(0);
  const auto observer = bench.observer(0);
  for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{77}, observer->id()}) {
    admin->send_from_client(2, proto::CancelContext{.context = id});
    CHECK(admin->take_only<proto::CancelContextReply>()->status == Status::InvalidContext);
  }
  CHECK(bench.audit.of(proto::Event::Cancelled).empty());
}

TEST_CASE("a context may cancel itself that way", "[server][administration]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  submit(*link, 2);
  link->send_from_client(3, proto::CancelContext{.context = link->id()});
  const auto& received = link->take();
  REQUIRE(received.size() == 2);
  CHECK(received[1].as<proto::CancelContextReply>()->status == Status::Success);
}

TEST_CASE("how the daemon is", "[server][administration]") {
  ServerBench bench;
  const auto context = bench.context(1000);
  submit(*context, 2);
  bench.environment.time += std::chrono::seconds(3);
  bench.sink.counted = {.answered = 11, .transmitted = 22, .canceled = 33, .failed = 44};
  bench.sink.view.times_lost = 5;
  bench.sink.view.state = proto::DeviceState::Down;
  const auto observer = bench.observer(1001);
  observer->send_from_client(2, proto::DaemonStatus{});
  const auto reply = observer->take_only<proto::DaemonStatusReply>();
  REQUIRE(reply);
  CHECK(reply->device_state == proto::DeviceState::Down);
  CHECK(reply->contexts == 1);
  CHECK(reply->queued == 1);
  CHECK(reply->uptime_us == 3'000'000);
  CHECK(reply->commands == 11);
  CHECK(reply->transmitted == 22);
  CHECK(reply->canceled == 33);
  CHECK(reply->failed == 44);
  CHECK(reply->reopened == 5);
  CHECK(reply->version == kVersion);
  CHECK(reply->device == "/dev/tpm7");
}

TEST_CASE("a TPM that has not answered for long is told of, though it is ready",
          "[server][administration]") {
  ServerBench bench;
  bench.environment.time += std::chrono::hours(1);
  const auto observer = bench.observer(1001);
  const auto problem_after = [&](std::chrono::milliseconds time, std::uint32_t code) {
    bench.sink.view.on_device = sched::OnDevice{
        .command_code = code, .since = bench.environment.time - time, .allowed = 60s};
    observer->send_from_client(2, proto::DaemonStatus{});
    const auto reply = observer->take_only<proto::DaemonStatusReply>();
    REQUIRE(reply);
    CHECK(reply->problem.empty() == reply->advice.empty());
    return reply->problem;
  };
  CHECK(problem_after(1499ms, tpm::cc::kCreate).empty());
  CHECK(problem_after(7510ms, tpm::cc::kCreate) ==
        "the TPM has not answered TPM2_Create for 7.5 s, and all other commands wait");
  CHECK(problem_after(7500ms, 0x20001234).contains("has not answered a command for 7.5 s"));
  // What is told of a device that is down is worth more.
  bench.sink.view.state = proto::DeviceState::Down;
  bench.sink.view.problem = "gone";
  bench.sink.view.advice = "wait";
  CHECK(problem_after(7500ms, tpm::cc::kCreate) == "gone");
}

TEST_CASE("how near somebody is to a limit", "[server][administration]") {
  ServerBench bench;
  bench.configure({.contexts = 100, .contexts_per_user = 50, .backlog_kib_per_user = 77});
  const auto first = bench.context(1000);
  const auto second = bench.context(1000);
  const auto other = bench.context(1001);
  const AccountId alice = account_of(UserId{1000});
  const AccountId bob = account_of(UserId{1001});
  bench.sink.used = {.objects_of_context = {.amount = 6, .who = bob},
                     .objects_of_account = {.amount = 7, .who = alice},
                     .sessions_of_context = {.amount = 1, .who = alice},
                     .sessions_of_account = {.amount = 2, .who = alice},
                     .orphans_of_account = {}};
  bench.ownership.restore("nv 5 1003 100 0\nnv 6 1003 28 0\npersistent 7 1004\n",
                          [](const std::string&) {});
  const auto observer = bench.observer(1002);
  observer->send_from_client(2, proto::ListLimits{});
  const auto reply = observer->take_only<proto::LimitList>();
  REQUIRE(reply);
  CHECK(limit(*reply, "nv-bytes-per-user").used == 128);
  CHECK(limit(*reply, "nv-bytes-per-user").uid == 1003);
  CHECK(limit(*reply, "nv-indices-per-user").used == 2);
  CHECK(limit(*reply, "persistent-per-user").used == 1);
  CHECK(limit(*reply, "persistent-per-user").uid == 1004);
  CHECK(reply->entries.size() == policy::kLimitRules.size());
  CHECK(limit(*reply, "max-contexts").used == 3);
  CHECK(limit(*reply, "max-contexts").limit == 100);
  CHECK(limit(*reply, "max-contexts").uid == proto::kNobody);
  CHECK(limit(*reply, "max-contexts-per-user").used == 2);
  CHECK(limit(*reply, "max-contexts-per-user").uid == 1000);
  CHECK(limit(*reply, "objects-per-user").used == 7);
  CHECK(limit(*reply, "objects-per-user").uid == 1000);
  CHECK(limit(*reply, "objects-per-context").used == 6);
  CHECK(limit(*reply, "objects-per-context").uid == 1001);
  CHECK(limit(*reply, "sessions-per-user").used == 2);
  CHECK(limit(*reply, "max-backlog-per-user").limit == 77);
  CHECK(limit(*reply, "max-backlog-per-user").used == 0);
}
