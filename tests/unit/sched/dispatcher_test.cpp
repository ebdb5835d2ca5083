#include "daemon/sched/dispatcher.h"

#include <array>
#include <deque>
#include <memory>
#include <tuple>

#include "tests/support/catch2.h"
#include "tests/unit/exec/recording_engine.h"
#include "tests/unit/sched/dispatcher_bench.h"

using namespace tbs;
using namespace tbs::sched;
using namespace tbs::sched::test;

TEST_CASE("one command is on the device at a time, the others wait", "[sched][dispatcher]") {
  Bench bench;
  bench.start();
  bench.submit(1, 11);
  bench.submit(2, 21);
  bench.submit(1, 12, kGetRandom, 300);
  REQUIRE(bench.sent().size() == 1);
  REQUIRE(bench.dispatcher.queued() == 2);
  bench.respond(message(0, {7}));
  bench.respond(message(0));
  bench.respond(message(tpm::rc::kFailure));
  REQUIRE(bench.answers() ==
          Answers{{11, Status::Success}, {12, Status::Success}, {21, Status::Success}});
  REQUIRE(bench.dispatcher.counters().answered == 3);
}

TEST_CASE("commands that come before the TPM is ready wait for it", "[sched][dispatcher]") {
  Bench bench;
  bench.submit(1, 1);
  REQUIRE(bench.sent().empty());
  bench.dispatcher.device_opened(bench.now);
  bench.respond(message(tpm::rc::kInitialize));
  bench.respond(properties());
  bench.respond(message(0));
  REQUIRE(bench.answers() == Answers{{1, Status::Success}});
}

TEST_CASE("a queued command is cancelled at once", "[sched][dispatcher][cancel]") {
  Bench bench;
  bench.start();
  bench.submit(1, 11);
  bench.submit(2, 21);
  bench.submit(2, 22);
  bench.dispatcher.cancel(ContextId{2}, bench.now);
  bench.take();
  REQUIRE(bench.answers() == Answers{{21, Status::CommandCanceled}, {22, Status::CommandCanceled}});
  REQUIRE(bench.count<CancelOnDevice>() == 0);
  bench.respond(message(0));
  REQUIRE(bench.answers().back() == std::pair<std::uint64_t, Status>{11, Status::Success});
  REQUIRE(bench.sent().size() == 1);
}

TEST_CASE("one command of several is cancelled, and the others go on",
          "[sched][dispatcher][cancel]") {
  Bench bench;
  bench.start();
  for (const std::uint64_t id : {11U, 12U, 13U}) bench.submit(1, id);
  bench.submit(2, 21, kGetRandom, 300);
  bench.submit(1, 14, kGetRandom, 300);
  SECTION("queued") {
    bench.dispatcher.cancel(ContextId{1}, RequestId{12}, bench.now);
    bench.dispatcher.cancel(ContextId{1}, RequestId{14}, bench.now);
    bench.take();
    REQUIRE(bench.answers() ==
            Answers{{12, Status::CommandCanceled}, {14, Status::CommandCanceled}});
    REQUIRE(bench.count<CancelOnDevice>() == 0);
    for (int i = 0; i < 3; ++i) bench.respond(message(0));
    REQUIRE(bench.answers() == Answers{{12, Status::CommandCanceled},
                                       {14, Status::CommandCanceled},
                                       {11, Status::Success},
                                       {21, Status::Success},
                                       {13, Status::Success}});
  }
  SECTION("running") {
    bench.dispatcher.cancel(ContextId{1}, RequestId{11}, bench.now);
    bench.take();
    REQUIRE(bench.count<CancelOnDevice>() == 1);
    bench.respond(message(tpm::rc::kCanceled));
    for (int i = 0; i < 4; ++i) bench.respond(message(0));
    REQUIRE(bench.answers() == Answers{{11, Status::CommandCanceled},
                                       {21, Status::Success},
                                       {14, Status::Success},
                                       {12, Status::Success},
                                       {13, Status::Success}});
  }
  SECTION("no longer there, or another context's") {
    bench.dispatcher.cancel(ContextId{1}, RequestId{10}, bench.now);
    bench.dispatcher.cancel(ContextId{1}, RequestId{21}, bench.now);
    bench.dispatcher.cancel(ContextId{2}, RequestId{11}, bench.now);
    bench.take();
    REQUIRE(bench.answers().empty());
    REQUIRE(bench.count<CancelOnDevice>() == 0);
  }
  REQUIRE(bench.dispatcher.queued() + bench.answers().size() +
              (bench.dispatcher.on_device() ? 1 : 0) ==
          5);
}

TEST_CASE("many commands that need no TPM do not keep the loop", "[sched][dispatcher]") {
  // As the resource managers answer from memory.
  class FromMemory : public exec::PassThrough {
   public:
    using PassThrough::PassThrough;
    std::unique_ptr<exec::Execution> execute(SharedCommand) override {
      return std::make_unique<exec::test::Signed>(std::uint8_t{1});
    }
    // Something is due all the time.
    std::unique_ptr<exec::Execution> housekeeping() override {
      return due ? std::make_unique<exec::test::Signed>(std::uint8_t{2}) : nullptr;
    }
    bool due = false;
  };
  exec::TpmIdentity identity;
  FromMemory engine(identity);
  Dispatcher dispatcher(engine, {.deadline_of = [](std::uint32_t) { return 60s; }});
  dispatcher.device_opened({});
  dispatcher.device_responded(message(0), {});
  const auto taken = [&] {
    std::size_t answers = 0;
    std::size_t go_on = 0;
    for (const Action& action : dispatcher.take_actions()) {
      answers += std::holds_alternative<Answer>(action) ? 1U : 0U;
      go_on += std::holds_alternative<GoOn>(action) ? 1U : 0U;
    }
    return std::pair(answers, go_on);
  };
  for (std::uint64_t id = 0; id < 1000; ++id) {
    dispatcher.submit(tbs::test::client_command({.request = RequestId{id}}), {});
  }
  REQUIRE(taken() == std::pair<std::size_t, std::size_t>{0, 0});
  dispatcher.device_responded(properties(), {});
  std::size_t answered = 0;
  std::size_t rounds = 0;
  for (auto [answers, go_on] = taken(); answers > 0; std::tie(answers, go_on) = taken()) {
    REQUIRE(answers <= 16);
    REQUIRE(go_on <= 1);
    answered += answers;
    ++rounds;
    // What comes meanwhile asks for no second one.
    dispatcher.submit(tbs::test::client_command({.request = RequestId{1000 + rounds}}), {});
    REQUIRE(taken().second == 0);
    if (rounds > 200) break;
    dispatcher.tick({});
  }
  REQUIRE(answered >= 1000);
  engine.due = true;
  dispatcher.close_context(ContextId{99}, {});
  REQUIRE(taken().second == 1);
}

TEST_CASE("a cancel finds what is queued whoever asked for it", "[sched][dispatcher][cancel]") {
  // An administrator who is not user 0 revokes the attestation and then cancels.
  Bench bench;
  bench.start();
  bench.submit(1, 11);
  for (const std::uint32_t user : {1000U, 0U}) {
    bench.dispatcher.submit(tbs::test::client_command({.user = UserId{user},
                                                       .roles = tbs::test::kAdministratorRoles,
                                                       .context = ContextId{2},
                                                       .request = RequestId{20 + user}}),
                            bench.now);
  }
  bench.dispatcher.cancel(ContextId{2}, bench.now);
  bench.take();
  REQUIRE(bench.answers().size() == 2);
  REQUIRE(bench.dispatcher.queued() == 0);
}

TEST_CASE("cancelling a running command asks the device, and the TPM decides",
          "[sched][dispatcher][cancel]") {
  Bench bench;
  bench.start();
  bench.submit(1, 11, kCreatePrimary);
  bench.dispatcher.cancel(ContextId{1}, bench.now);
  bench.take();
  REQUIRE(bench.count<CancelOnDevice>() == 1);
  REQUIRE(bench.answers().empty());

  SECTION("it was cancelled") {
    bench.respond(message(tpm::rc::kCanceled));
    REQUIRE(bench.answers() == Answers{{11, Status::CommandCanceled}});
  }
  SECTION("it had finished") {
    bench.respond(message(tpm::rc::kSuccess, {tpm::kTransientFirst}));
    REQUIRE(bench.answers() == Answers{{11, Status::Success}});
  }
  SECTION("the kernel says ECANCELED") {
    bench.dispatcher.device_failed("read", false, true, bench.now);
    bench.take();
    REQUIRE(bench.answers() == Answers{{11, Status::CommandCanceled}});
    // The TPM has kept what it had: only the tables are looked over.
    REQUIRE(bench.count<ReopenDevice>() == 0);
    REQUIRE(bench.engine.times_lost == 0);
    REQUIRE(bench.sent().back() == kStartup);
  }
  SECTION("it goes on past the grace") {
    bench.pass(kCancelGrace - 1ms);
    REQUIRE(bench.answers().empty());
    bench.pass(1ms);
    REQUIRE(bench.answers() == Answers{{11, Status::CommandCanceled}});
    REQUIRE(bench.dispatcher.running_of(ContextId{1}).state == RunState::Detached);
    REQUIRE(bench.dispatcher.on_device().value().command_code == kCreatePrimary);
    REQUIRE(bench.dispatcher.on_device().value().since < bench.now);
    REQUIRE(bench.dispatcher.on_device().value().allowed > kCancelGrace);
    // The next command waits until the TPM is free and what was created is gone.
    bench.submit(1, 12);
    REQUIRE(bench.sent() == std::vector<std::uint32_t>{kCreatePrimary});
    bench.respond(message(tpm::rc::kSuccess, {tpm::kTransientFirst}));
    REQUIRE(bench.sent() == std::vector<std::uint32_t>{kCreatePrimary, kFlushContext});
    bench.respond(message(0));
    REQUIRE(bench.sent().back() == kGetRandom);
    bench.respond(message(0));
    REQUIRE(bench.answers() == Answers{{11, Status::CommandCanceled}, {12, Status::Success}});
    REQUIRE_FALSE(bench.dispatcher.on_device());
  }
  REQUIRE(bench.dispatcher.running_of(ContextId{1}).state == RunState::None);
}

TEST_CASE("a cancel touches neither another context nor a later command",
          "[sched][dispatcher][cancel]") {
  Bench bench;
  bench.start();
  bench.dispatcher.cancel(ContextId{1}, bench.now);
  bench.submit(1, 11);
  bench.dispatcher.cancel(ContextId{2}, bench.now);
  bench.take();
  REQUIRE(bench.count<CancelOnDevice>() == 0);
  bench.respond(message(0));
  REQUIRE(bench.answers() == Answers{{11, Status::Success}});
}

TEST_CASE("cancelling twice asks the device once", "[sched][dispatcher][cancel]") {
  Bench bench;
  bench.start();
  bench.submit(1, 11, kCreatePrimary);
  for (int i = 0; i < 3; ++i) bench.dispatcher.cancel(ContextId{1}, bench.now);
  bench.pass(20ms);
  bench.dispatcher.cancel(ContextId{1}, bench.now);
  bench.take();
  REQUIRE(bench.count<CancelOnDevice>() == 1);
  REQUIRE(bench.answers().size() == 1);
}

TEST_CASE("a context that closes takes what it had outstanding with it", "[sched][dispatcher]") {
  Bench bench;
  bench.start();
  bench.open(1);
  bench.submit(1, 11, kCreatePrimary);
  bench.submit(1, 12);
  bench.submit(2, 21);
  bench.dispatcher.close_context(ContextId{1}, bench.now);
  bench.take();
  REQUIRE(bench.answers().empty());
  REQUIRE(bench.count<CancelOnDevice>() == 1);
  bench.respond(message(tpm::rc::kSuccess, {tpm::kTransientFirst}));
  REQUIRE(bench.sent() == std::vector<std::uint32_t>{kCreatePrimary, kFlushContext});
  bench.respond(message(0));
  bench.respond(message(0));
  REQUIRE(bench.answers() == Answers{{21, Status::Success}});
}

TEST_CASE("what the TPM does is told, and how long it has for whom", "[sched][dispatcher]") {
  Bench bench;
  bench.dispatcher.device_opened(bench.now);
  REQUIRE(bench.dispatcher.activity(bench.now).work->kind == WorkKind::BringUp);
  bench.respond(message(tpm::rc::kInitialize));
  bench.respond(properties());
  REQUIRE_FALSE(bench.dispatcher.activity(bench.now).work.has_value());
  const auto of = [&bench](std::uint64_t context) {
    return bench.dispatcher.activity_of(account_of(UserId{1000}), ContextId{context}, bench.now);
  };

  bench.submit(1, 11, kCreatePrimary);
  bench.now += 3ms;
  bench.submit(2, 21);
  bench.now += 4ms;
  bench.submit(2, 22, kGetRandom, 300);
  const auto busy = bench.dispatcher.activity(bench.now);
  CHECK(busy.work->kind == WorkKind::Command);
  CHECK(busy.work->context == ContextId{1});
  CHECK(bench.now - busy.work->since == 7ms);
  CHECK(busy.highest == 300);
  CHECK(of(1).worked == 7ms);
  CHECK_FALSE(of(1).waiting.has_value());
  CHECK(of(2).worked == 0ms);
  REQUIRE(of(2).waiting.has_value());
  CHECK(bench.now - of(2).waiting->since == 4ms);
  CHECK(of(2).waiting->priority == 300);

  bench.respond(message(0));
  bench.now += 2ms;
  bench.respond(message(0));
  CHECK(of(1).worked == 7ms);
  CHECK(of(2).worked == 2ms);
  CHECK(bench.dispatcher.activity(bench.now).highest == 0);
  bench.respond(message(0));
  bench.dispatcher.close_context(ContextId{1}, bench.now);
  CHECK(of(1).worked == 0ms);

  // It closes while the TPM works for it: nothing of it stays behind.
  bench.submit(2, 23, kCreatePrimary);
  bench.dispatcher.close_context(ContextId{2}, bench.now);
  CHECK(bench.dispatcher.activity(bench.now).work->context == ContextId{2});
  bench.now += 5ms;
  bench.respond(message(0));
  CHECK(of(2).worked == 0ms);

  bench.dispatcher.prepare_sleep(bench.now);
  CHECK(bench.dispatcher.activity(bench.now).asleep);
}

TEST_CASE("when the device is lost everything waiting is answered once", "[sched][dispatcher]") {
  Bench bench;
  bench.start();
  bench.submit(1, 11);
  bench.submit(2, 21);
  SECTION("it fails") {
    bench.dispatcher.device_failed("read: EIO", true, false, bench.now);
  }
  SECTION("it hangs past the deadline") {
    bench.now += 61s;
    bench.dispatcher.tick(bench.now);
  }
  bench.take();
  REQUIRE(bench.answers() == Answers{{11, Status::IoError}, {21, Status::IoError}});
  REQUIRE(bench.count<ReopenDevice>() == 1);
  bench.submit(1, 12);
  REQUIRE(bench.answers().back() == std::pair<std::uint64_t, Status>{12, Status::IoError});
  // A late answer of the lost device is nobody's.
  bench.respond(message(0));
  bench.actions.clear();
  bench.start();
  bench.submit(1, 13);
  bench.respond(message(0));
  REQUIRE(bench.answers() == Answers{{13, Status::Success}});
}

TEST_CASE("a hung device is reopened once, though closing it fails its command again",
          "[sched][dispatcher]") {
  Bench bench;
  bench.start();
  bench.submit(1, 11);
  bench.pass(61s);
  bench.dispatcher.device_failed("closed", true, true, bench.now);
  bench.take();
  REQUIRE(bench.count<ReopenDevice>() == 1);
  REQUIRE(bench.answers() == Answers{{11, Status::IoError}});
}

TEST_CASE("a failure that leaves the device usable costs one command", "[sched][dispatcher]") {
  Bench bench;
  bench.start();
  bench.submit(1, 11);
  bench.submit(2, 21);
  bench.dispatcher.device_failed("read: ETIME", false, false, bench.now);
  bench.take();
  REQUIRE(bench.answers() == Answers{{11, Status::IoError}});
  bench.respond(message(tpm::rc::kInitialize));
  bench.respond(properties());
  bench.respond(message(0));
  REQUIRE(bench.answers() == Answers{{11, Status::IoError}, {21, Status::Success}});
}

TEST_CASE("a TPM that cannot be started is reported, and tried again", "[sched][dispatcher]") {
  Bench bench;
  bench.submit(1, 1);
  bench.dispatcher.device_opened(bench.now);
  bench.respond(message(TPM2_RC_MEMORY));
  REQUIRE(bench.count<DeviceUnusable>() == 1);
  REQUIRE(bench.answers() == Answers{{1, Status::IoError}});
  bench.actions.clear();
  bench.start();
}

TEST_CASE("a TPM that still tests itself is waited for", "[sched][dispatcher]") {
  Bench bench;
  bench.dispatcher.device_opened(bench.now);
  bench.take();
  bench.respond(message(tpm::rc::kTesting));
  REQUIRE(bench.sent().size() == 1);
  bench.pass(200ms);
  REQUIRE(bench.sent().size() == 2);
  bench.respond(message(0));
  bench.respond(properties());
  REQUIRE(bench.count<DeviceReady>() == 1);
}

TEST_CASE("stopping answers what waits and lets go of the TPM in good order",
          "[sched][dispatcher]") {
  Bench bench;
  SECTION("nothing runs") {
    bench.start();
    bench.dispatcher.stop(true, bench.now);
    bench.take();
    REQUIRE(bench.sent() == std::vector<std::uint32_t>{tpm::cc::kShutdown});
    bench.respond(message(0));
  }
  SECTION("a command runs") {
    bench.start();
    bench.submit(1, 11, kCreatePrimary);
    bench.submit(1, 12);
    bench.dispatcher.stop(true, bench.now);
    bench.take();
    REQUIRE(bench.answers() == Answers{{12, Status::ServiceNotRunning}});
    REQUIRE(bench.count<CancelOnDevice>() == 1);
    bench.respond(message(tpm::rc::kCanceled));
    REQUIRE(bench.answers().back() ==
            std::pair<std::uint64_t, Status>{11, Status::ServiceNotRunning});
    bench.respond(message(0));
  }
  SECTION("a command runs that the TPM does not give up") {
    bench.start();
    bench.submit(1, 11, kCreatePrimary);
    bench.dispatcher.stop(true, bench.now);
    bench.take();
    REQUIRE(bench.answers().empty());
    bench.pass(10ms);
    REQUIRE(bench.answers() == Answers{{11, Status::ServiceNotRunning}});
    bench.respond(message(0));
    bench.respond(message(0));
  }
  SECTION("a command runs that its client has cancelled") {
    bench.start();
    bench.submit(1, 11, kCreatePrimary);
    bench.dispatcher.cancel(ContextId{1}, bench.now);
    bench.dispatcher.stop(true, bench.now);
    bench.respond(message(tpm::rc::kCanceled));
    REQUIRE(bench.answers() == Answers{{11, Status::CommandCanceled}});
    bench.respond(message(0));
  }
  SECTION("the device does not answer any more") {
    bench.start();
    bench.submit(1, 11);
    bench.dispatcher.stop(true, bench.now);
    bench.dispatcher.device_failed("gone", true, false, bench.now);
    bench.take();
  }
  SECTION("there never was a device") {
    bench.dispatcher.device_unavailable(bench.now);
    bench.dispatcher.stop(false, bench.now);
    bench.take();
  }
  REQUIRE(bench.count<Stopped>() == 1);
  bench.submit(1, 99);
  REQUIRE(bench.answers().back() ==
          std::pair<std::uint64_t, Status>{99, Status::ServiceNotRunning});
}

TEST_CASE("an idle dispatcher asks for no wake-up for ever", "[sched][dispatcher]") {
  Bench bench;
  bench.start();
  REQUIRE(bench.dispatcher.next_deadline().has_value());
  bench.pass(50ms);
  REQUIRE_FALSE(bench.dispatcher.next_deadline().has_value());
  bench.submit(1, 1);
  bench.respond(message(0));
  REQUIRE(bench.dispatcher.next_deadline() == bench.now + 50ms);
}
