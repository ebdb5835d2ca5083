// Leaving the TPM to somebody else, and having it back.

#include "daemon/sched/dispatcher.h"
#include "tests/support/catch2.h"
#include "tests/unit/sched/dispatcher_bench.h"

using namespace tbs;
using namespace tbs::sched;
using namespace tbs::sched::test;

namespace {

constexpr HandoverTerms kTerms{.time = 60s, .patience = 10s};

void hand_over(Bench& bench) {
  bench.dispatcher.hand_over(kTerms, bench.now);
  bench.take();
}

// The device is open again, and its TPM was found well.
void have_back(Bench& bench) {
  bench.dispatcher.take_back(bench.now);
  bench.dispatcher.device_opened(bench.now);
  bench.take();
  REQUIRE(bench.sent().back() == kStartup);
  bench.respond(message(tpm::rc::kInitialize));
  bench.respond(properties());
}

}  // namespace

TEST_CASE("what runs ends, however long it takes, then the TPM is handed over and commands wait",
          "[sched][dispatcher][handover]") {
  Bench bench;
  bench.start();
  bench.submit(1, 11, kCreatePrimary);
  bench.submit(2, 21);
  hand_over(bench);
  bench.pass(50s);
  CHECK(bench.count<HandedOver>() == 0);
  CHECK(bench.count<CancelOnDevice>() == 0);
  bench.respond(message(0));
  REQUIRE(bench.count<HandedOver>() == 1);
  CHECK(bench.engine.times_lost == 1);
  CHECK(bench.answers() == Answers{{11, Status::Success}});
  bench.submit(1, 12);
  bench.pass(9s);
  // Nothing was sent since.
  CHECK(bench.sent() == std::vector<std::uint32_t>{kCreatePrimary});
  have_back(bench);
  bench.respond(message(0));
  bench.respond(message(0));
  CHECK(bench.answers() ==
        Answers{{11, Status::Success}, {21, Status::Success}, {12, Status::Success}});
  CHECK(bench.count<HandoverOver>() == 0);
}

TEST_CASE("commands wait for so long, then they fail, and later ones at once",
          "[sched][dispatcher][handover]") {
  Bench bench;
  bench.start();
  hand_over(bench);
  bench.submit(1, 11);
  REQUIRE(bench.dispatcher.next_deadline() == bench.now + kTerms.patience);
  bench.pass(kTerms.patience);
  CHECK(bench.answers() == Answers{{11, Status::ServiceStartPending}});
  bench.submit(1, 12);
  CHECK(bench.answers().back() == Answers::value_type{12, Status::ServiceStartPending});
  CHECK(bench.sent().empty());
  have_back(bench);
  bench.submit(1, 13);
  bench.respond(message(0));
  CHECK(bench.answers().back() == Answers::value_type{13, Status::Success});
}

TEST_CASE("the time is over once", "[sched][dispatcher][handover]") {
  Bench bench;
  bench.start();
  hand_over(bench);
  REQUIRE(bench.dispatcher.next_deadline() == bench.now + kTerms.time);
  bench.pass(kTerms.time);
  CHECK(bench.count<HandoverOver>() == 1);
  bench.pass(kTerms.time);
  CHECK(bench.count<HandoverOver>() == 1);
  have_back(bench);
}

TEST_CASE("it can be taken back before it was given", "[sched][dispatcher][handover]") {
  Bench bench;
  bench.start();
  bench.submit(1, 11);
  bench.submit(2, 21);
  hand_over(bench);
  bench.dispatcher.take_back(bench.now);
  bench.respond(message(0));
  bench.respond(message(0));
  CHECK(bench.count<HandedOver>() == 0);
  CHECK(bench.answers() == Answers{{11, Status::Success}, {21, Status::Success}});
}

TEST_CASE("a device that is not there is handed over at once", "[sched][dispatcher][handover]") {
  Bench bench;
  SECTION("it was never open") {
    hand_over(bench);
  }
  SECTION("it is lost") {
    bench.start();
    bench.dispatcher.device_gone("gone", bench.now);
    hand_over(bench);
  }
  SECTION("it is lost on the way") {
    bench.start();
    bench.submit(1, 11);
    hand_over(bench);
    CHECK(bench.count<HandedOver>() == 0);
    bench.dispatcher.device_gone("gone", bench.now);
    bench.take();
    CHECK(bench.answers() == Answers{{11, Status::IoError}});
  }
  CHECK(bench.count<HandedOver>() == 1);
  have_back(bench);
}

TEST_CASE("a daemon that stops does not wait for who has the TPM",
          "[sched][dispatcher][handover]") {
  Bench bench;
  bench.start();
  hand_over(bench);
  bench.submit(1, 11);
  bench.dispatcher.stop(false, bench.now);
  bench.take();
  CHECK(bench.answers() == Answers{{11, Status::ServiceNotRunning}});
  CHECK(bench.count<Stopped>() == 1);
}

TEST_CASE("a command that waits for the TPM can be cancelled", "[sched][dispatcher][handover]") {
  Bench bench;
  bench.start();
  hand_over(bench);
  bench.submit(1, 11);
  bench.dispatcher.cancel(ContextId{1}, bench.now);
  bench.take();
  CHECK(bench.answers() == Answers{{11, Status::CommandCanceled}});
}

TEST_CASE("who had the TPM before a restart has it after it, for as long",
          "[sched][dispatcher][handover]") {
  Bench bench;
  const bool was_open = GENERATE(false, true);
  if (was_open) bench.dispatcher.device_adopted(std::nullopt, bench.now);
  bench.dispatcher.handed_over_before({.refuse_at = bench.now + 10s, .end_at = bench.now + 60s},
                                      bench.now);
  bench.take();
  CHECK(bench.dispatcher.handed_over());
  CHECK(bench.count<HandedOver>() == 0);
  CHECK(bench.engine.times_lost == (was_open ? 1 : 0));
  bench.submit(1, 11);
  bench.pass(9s);
  CHECK(bench.sent().empty());
  CHECK(bench.answers().empty());
  bench.pass(1s);
  CHECK(bench.answers() == Answers{{11, Status::ServiceStartPending}});
  bench.pass(50s);
  CHECK(bench.count<HandoverOver>() == 1);
  have_back(bench);
  bench.submit(1, 12);
  bench.respond(message(0));
  CHECK(bench.answers() == Answers{{11, Status::ServiceStartPending}, {12, Status::Success}});
}

TEST_CASE("time that is over when the next process comes is over",
          "[sched][dispatcher][handover]") {
  Bench bench;
  bench.now += 100s;
  bench.dispatcher.handed_over_before({.refuse_at = bench.now - 50s, .end_at = bench.now - 1s},
                                      bench.now);
  bench.take();
  CHECK(bench.count<HandoverOver>() == 1);
  have_back(bench);
}
