// Letting the machine sleep, and looking at the TPM after it.

#include "daemon/sched/dispatcher.h"
#include "tests/support/catch2.h"
#include "tests/unit/sched/dispatcher_bench.h"

using namespace tbs;
using namespace tbs::sched;
using namespace tbs::sched::test;

TEST_CASE("before sleep what runs may end, and the queue is held until the machine is awake",
          "[sched][dispatcher]") {
  Bench bench;
  bench.start();
  bench.submit(1, 11);
  bench.submit(2, 21);
  bench.dispatcher.prepare_sleep(bench.now);
  bench.take();
  REQUIRE(bench.count<Quiesced>() == 0);
  bench.respond(message(0));
  REQUIRE(bench.answers() == Answers{{11, Status::Success}});
  REQUIRE(bench.count<Quiesced>() == 1);
  bench.submit(1, 12);
  bench.pass(kLongestNap - 1s);
  REQUIRE(bench.sent() == std::vector<std::uint32_t>{kGetRandom});

  SECTION("it says so") {
    bench.dispatcher.wake_up(bench.now);
    bench.take();
  }
  SECTION("nobody says so") {
    bench.pass(1s);
  }
  SECTION("a command that waits can be cancelled") {
    bench.dispatcher.cancel(ContextId{1}, bench.now);
    bench.take();
    REQUIRE(bench.answers() == Answers{{11, Status::Success}, {12, Status::CommandCanceled}});
    return;
  }
  // The TPM is looked at before anything else.
  REQUIRE(bench.sent().back() == kStartup);
  bench.respond(message(tpm::rc::kInitialize));
  bench.respond(properties());
  bench.respond(message(0));
  bench.respond(message(0));
  REQUIRE(bench.answers() ==
          Answers{{11, Status::Success}, {21, Status::Success}, {12, Status::Success}});
  REQUIRE(bench.count<Quiesced>() == 1);
}

TEST_CASE("a long command does not keep the machine awake", "[sched][dispatcher]") {
  Bench bench;
  bench.start();
  bench.submit(1, 11, kCreatePrimary);
  bench.dispatcher.prepare_sleep(bench.now);
  bench.pass(kSleepPatience);
  REQUIRE(bench.count<CancelOnDevice>() == 1);
  bench.pass(kCancelGrace);
  REQUIRE(bench.answers() == Answers{{11, Status::CommandCanceled}});
  REQUIRE(bench.count<Quiesced>() == 0);
  SECTION("it ends in time") {
    bench.respond(message(tpm::rc::kCanceled));
  }
  SECTION("it does not") {
    bench.pass(kSleepLimit);
  }
  REQUIRE(bench.count<Quiesced>() == 1);
}

TEST_CASE("a machine whose TPM is away may sleep at once, and one that stops",
          "[sched][dispatcher]") {
  Bench bench;
  SECTION("away") {
    bench.dispatcher.prepare_sleep(bench.now);
    bench.take();
    REQUIRE(bench.count<Quiesced>() == 1);
    bench.start();
    bench.submit(1, 11);
    REQUIRE(bench.answers().empty());
  }
  SECTION("lost on the way") {
    bench.start();
    bench.submit(1, 11);
    bench.dispatcher.prepare_sleep(bench.now);
    bench.dispatcher.device_failed("read: EIO", true, false, bench.now);
    bench.take();
    REQUIRE(bench.count<Quiesced>() == 1);
  }
  SECTION("stopping") {
    bench.start();
    bench.dispatcher.prepare_sleep(bench.now);
    bench.take();
    REQUIRE(bench.count<Quiesced>() == 1);
    bench.dispatcher.stop(false, bench.now);
    bench.take();
    REQUIRE(bench.count<Stopped>() + bench.sent().size() > 0);
  }
}
