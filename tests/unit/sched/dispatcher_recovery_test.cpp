// A driver that gives up a command while the TPM goes on with it.

#include "daemon/tpm/command_class.h"
#include "tests/unit/sched/dispatcher_bench.h"

using namespace tbs;
using namespace tbs::sched;
using namespace tbs::sched::test;

namespace {

// A TPM that was sent GetRandom by context 1, which the driver has given up, and GetRandom waits
// for context 2.
struct GivenUp : Bench {
  GivenUp() {
    start();
    submit(1, 11);
    submit(2, 21);
    fail();
  }

  void fail() {
    dispatcher.device_failed("read: ETIME", false, false, now);
    take();
  }
  // Until it has been asked once more, or for a minute.
  bool asked_again() {
    const std::size_t before = sent().size();
    for (int i = 0; i < 600 && sent().size() == before; ++i) pass(100ms);
    return sent().size() > before;
  }
  void answer_bring_up() {
    respond(message(tpm::rc::kInitialize));
    respond(properties());
  }
};

}  // namespace

TEST_CASE_METHOD(GivenUp, "a command that was given up is its submitter's loss alone",
                 "[sched][recovery]") {
  CHECK(answers() == Answers{{11, Status::IoError}});
  CHECK(engine.times_lost == 0);
  CHECK(sent() == std::vector{kGetRandom, kStartup});
  fail();
  fail();  // nothing is on the TPM that could fail
  CHECK(count<DeviceBusy>() == 1);
  CHECK(sent().size() == 2);
  REQUIRE(asked_again());
  CHECK(sent().back() == kStartup);
  answer_bring_up();
  CHECK(sent().back() == kGetRandom);
  respond(message(0));
  CHECK(answers() == Answers{{11, Status::IoError}, {21, Status::Success}});
  CHECK(count<DeviceReady>() == 1);
  CHECK(count<ReopenDevice>() == 0);
  CHECK(engine.times_lost == 0);
}

TEST_CASE_METHOD(GivenUp,
                 "nothing but the question is sent to a busy TPM, and that ever more rarely",
                 "[sched][recovery]") {
  std::vector<TimePoint> asked;
  for (int i = 0; i < 8; ++i) {
    fail();
    submit(3, 31U + static_cast<std::uint64_t>(i));
    dispatcher.cancel(ContextId{3}, now);
    REQUIRE(dispatcher.next_deadline());
    REQUIRE(asked_again());
    CHECK(sent().back() == kStartup);
    asked.push_back(now);
  }
  for (std::size_t i = 2; i < asked.size(); ++i) {
    CHECK(asked[i] - asked[i - 1] >= asked[i - 1] - asked[i - 2]);
    CHECK(asked[i] - asked[i - 1] <= 3s);
  }
}

TEST_CASE_METHOD(GivenUp, "a TPM that takes longer than its command may is given up",
                 "[sched][recovery]") {
  while (count<ReopenDevice>() == 0) {
    fail();
    if (count<ReopenDevice>() == 0) REQUIRE(asked_again());
  }
  CHECK(now - TimePoint{} >= 60s);
  CHECK(now - TimePoint{} <= 64s);
  CHECK(answers() == Answers{{11, Status::IoError}, {21, Status::IoError}});
  CHECK_FALSE(dispatcher.next_deadline());
  CHECK(engine.times_lost == 1);
}

TEST_CASE("a kernel that gives up the making of a key costs who asked for it, and nobody else",
          "[sched][recovery]") {
  // Of measured chips: the slowest median, the longest but one, and the longest.
  const Duration made_in = GENERATE(19s, 28s, 123s);
  // A driver that gives up a command after this time, and takes none while the TPM is at work.
  const Duration patience = GENERATE(2s, 30s);
  Bench bench(tpm::deadline_of);
  bench.start();
  bench.submit(1, 11, kCreatePrimary);
  bench.submit(2, 21);
  const TimePoint end = bench.now + made_in;
  const auto fail = [&bench] {
    bench.dispatcher.device_failed("read: ETIME", false, false, bench.now);
    bench.take();
  };
  const bool in_time = made_in < patience;
  bench.pass(in_time ? made_in : patience);
  in_time ? bench.respond(message(0, {tpm::kTransientFirst})) : fail();
  CHECK(bench.answers() == Answers{{11, in_time ? Status::Success : Status::IoError}});
  while (bench.now < end) {
    bench.pass(2s);
    if (bench.now < end && bench.dispatcher.on_device()) fail();
  }
  CHECK(bench.answers().size() == 1);
  // It is asked as soon as it can answer, or little later.
  if (!in_time && !bench.dispatcher.on_device()) bench.pass(2s);
  if (!in_time) {
    bench.respond(message(tpm::rc::kInitialize));
    bench.respond(properties());
  }
  bench.respond(message(0));
  CHECK(bench.answers().back() == std::pair<std::uint64_t, Status>{21, Status::Success});
  CHECK(bench.count<ReopenDevice>() == 0);
  CHECK(bench.engine.times_lost == 0);
}

TEST_CASE_METHOD(GivenUp, "a busy TPM keeps no daemon from stopping", "[sched][recovery]") {
  fail();
  dispatcher.stop(false, now);
  take();
  CHECK(answers().back() == std::pair<std::uint64_t, Status>{21, Status::ServiceNotRunning});
  if (count<Stopped>() == 0) fail();
  CHECK(count<Stopped>() == 1);
}

TEST_CASE_METHOD(GivenUp, "a busy TPM keeps no machine from sleeping", "[sched][recovery]") {
  fail();
  dispatcher.prepare_sleep(now);
  take();
  pass(kSleepLimit);
  if (dispatcher.activity(now).work) fail();
  pass(kSleepLimit);
  CHECK(count<Quiesced>() == 1);
  // The timer is set for the end of the nap, not for the question.
  CHECK(*dispatcher.next_deadline() > now);
  dispatcher.wake_up(now);
  take();
  if (!dispatcher.activity(now).work) REQUIRE(asked_again());
  answer_bring_up();
  respond(message(0));
  CHECK(answers().back() == std::pair<std::uint64_t, Status>{21, Status::Success});
}

TEST_CASE("a TPM that gives what is no response costs one command", "[sched][recovery]") {
  Bench bench;
  bench.start();
  bench.submit(1, 11);
  bench.submit(2, 21);
  Message wrong = message(0);
  const std::size_t size = GENERATE(0U, 3U, 9U, 10U, 11U);
  if (size == wrong.size()) wrong[5] = 12;
  wrong.resize(size);
  bench.dispatcher.device_responded(wrong, bench.now);
  bench.take();
  CHECK(bench.answers() == Answers{{11, Status::IoError}});
  CHECK(bench.sent() == std::vector{kGetRandom, kStartup});
  CHECK(bench.count<ReopenDevice>() == 0);
  CHECK(bench.engine.times_lost == 0);
}

TEST_CASE("what the device does not take is known, and nothing else is lost", "[sched][recovery]") {
  Bench bench;
  bench.start();
  bench.submit(1, 11);
  bench.submit(2, 21);
  bench.dispatcher.device_refused(Status::BufferTooLarge, "write: E2BIG", bench.now);
  bench.take();
  bench.respond(message(0));
  CHECK(bench.answers() == Answers{{11, Status::BufferTooLarge}, {21, Status::Success}});
  CHECK(bench.sent() == std::vector{kGetRandom, kGetRandom});
  CHECK(bench.engine.times_lost == 0);
}
