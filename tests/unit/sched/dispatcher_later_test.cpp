// A command that the TPM is not ready for: others go first, and it comes again.

#include <algorithm>
#include <vector>

#include "daemon/sched/dispatcher.h"
#include "tests/support/catch2.h"
#include "tests/unit/sched/dispatcher_bench.h"

using namespace tbs;
using namespace tbs::sched;
using namespace tbs::sched::test;

namespace {

constexpr std::uint32_t kWrite = TPM2_CC_NV_Write;
constexpr std::uint32_t kSign = TPM2_CC_Sign;
using Codes = std::vector<std::uint32_t>;

const Message kRetry = message(tpm::rc::kRetry);
const Message kNvRate = message(tpm::rc::kNvRate);
const Message kGood = message(0);

struct LaterBench : Bench {
  LaterBench() {
    engine.asks_again = true;
    start();
  }
  // To the next time at which something is due.
  Duration wait() {
    const auto next = dispatcher.next_deadline();
    REQUIRE(next.has_value());
    REQUIRE(*next > now);
    const Duration waited = *next - now;
    pass(waited);
    return waited;
  }
};

}  // namespace

TEST_CASE("while one command is put off, another client's is answered", "[sched][later]") {
  LaterBench bench;
  bench.submit(1, 11, kSign);
  bench.respond(kRetry);
  CHECK(bench.answers().empty());
  CHECK(bench.dispatcher.queued() == 1);
  CHECK_FALSE(bench.dispatcher.on_device().has_value());
  bench.submit(2, 21);
  bench.respond(kGood);
  CHECK(bench.answers() == Answers{{21, Status::Success}});
  CHECK(bench.wait() == 1ms);
  CHECK(bench.sent() == Codes{kSign, kGetRandom, kSign});
  bench.respond(kGood);
  CHECK(bench.answers() == Answers{{21, Status::Success}, {11, Status::Success}});
  CHECK(bench.dispatcher.queued() == 0);
}

TEST_CASE("it comes again after pauses that double, and gets the TPM's word at last",
          "[sched][later]") {
  LaterBench bench;
  bench.submit(1, 11, kSign);
  std::vector<Duration> pauses;
  while (bench.answers().empty()) {
    bench.respond(kRetry);
    if (bench.answers().empty()) pauses.push_back(bench.wait());
    REQUIRE(pauses.size() < 100);
  }
  CHECK(pauses.at(0) == 1ms);
  CHECK(pauses.at(1) == 2ms);
  CHECK(std::ranges::max(pauses) == 1s);
  CHECK(bench.answers() == Answers{{11, Status::Success}});
  const auto answer = std::ranges::find_if(
      bench.actions, [](const Action& action) { return std::holds_alternative<Answer>(action); });
  CHECK(std::get<Answer>(*answer).response == kRetry);
  CHECK(bench.now - TimePoint{} == 60s);
}

TEST_CASE("a context's commands keep their order when the first is put off", "[sched][later]") {
  LaterBench bench;
  bench.submit(1, 11, kSign);
  bench.submit(1, 12);
  bench.respond(kRetry);
  bench.submit(1, 13);
  CHECK(bench.sent() == Codes{kSign});
  bench.wait();
  CHECK(bench.sent() == Codes{kSign, kSign});
  for (int i = 0; i < 3; ++i) bench.respond(kGood);
  CHECK(bench.answers() ==
        Answers{{11, Status::Success}, {12, Status::Success}, {13, Status::Success}});
}

TEST_CASE("a command that is put off can be cancelled at any time", "[sched][later][cancel]") {
  LaterBench bench;
  bench.submit(1, 11, kSign);
  SECTION("while it waits") {
    bench.respond(kRetry);
    bench.submit(1, 12);
    bench.dispatcher.cancel(ContextId{1}, RequestId{11}, bench.now);
    bench.take();
    CHECK(bench.answers() == Answers{{11, Status::CommandCanceled}});
    bench.wait();
    bench.respond(kGood);
    CHECK(bench.answers().back() == std::pair<std::uint64_t, Status>{12, Status::Success});
    CHECK(bench.sent() == Codes{kSign, kGetRandom});
  }
  SECTION("while the TPM has it") {
    bench.dispatcher.cancel(ContextId{1}, bench.now);
    bench.respond(kRetry);
    CHECK(bench.answers() == Answers{{11, Status::CommandCanceled}});
    CHECK(bench.dispatcher.queued() == 0);
  }
  SECTION("by its client, who goes") {
    bench.respond(kRetry);
    bench.dispatcher.close_context(ContextId{1}, bench.now);
    CHECK(bench.answers().empty());
    CHECK(bench.dispatcher.queued() == 0);
  }
  CHECK(bench.dispatcher.counters().canceled == 1);
}

TEST_CASE("what is put off is answered when nothing will be sent any more", "[sched][later]") {
  LaterBench bench;
  bench.submit(1, 11, kSign);
  bench.respond(kRetry);
  SECTION("the daemon stops") {
    bench.dispatcher.stop(false, bench.now);
    bench.take();
    CHECK(bench.answers() == Answers{{11, Status::ServiceNotRunning}});
  }
  SECTION("the device is lost") {
    bench.dispatcher.device_gone("gone", bench.now);
    bench.take();
    CHECK(bench.answers() == Answers{{11, Status::IoError}});
  }
  CHECK(bench.dispatcher.queued() == 0);
}

TEST_CASE("what is put off waits while the machine sleeps, or another has the TPM",
          "[sched][later]") {
  LaterBench bench;
  bench.submit(1, 11, kSign);
  bench.respond(kRetry);
  bench.actions.clear();
  SECTION("sleep") {
    bench.dispatcher.prepare_sleep(bench.now);
    bench.take();
    CHECK(bench.count<Quiesced>() == 1);
    bench.pass(1s);
    CHECK(bench.sent().empty());
    CHECK(bench.dispatcher.next_deadline() > bench.now);
    bench.dispatcher.wake_up(bench.now);
    bench.take();
  }
  SECTION("another has it") {
    bench.dispatcher.hand_over({.time = 60s, .patience = 60s}, bench.now);
    bench.take();
    CHECK(bench.count<HandedOver>() == 1);
    bench.pass(1s);
    CHECK(bench.sent().empty());
    bench.dispatcher.take_back(bench.now);
    CHECK(bench.dispatcher.next_deadline().value_or(TimePoint::max()) > bench.now);
    bench.dispatcher.device_opened(bench.now);
    bench.take();
  }
  // The TPM is looked at before anything else.
  bench.respond(message(tpm::rc::kInitialize));
  bench.respond(properties());
  CHECK(bench.sent().back() == kSign);
  bench.respond(kGood);
  CHECK(bench.answers() == Answers{{11, Status::Success}});
}

TEST_CASE("nothing is done for an idle TPM while somebody is put off", "[sched][later]") {
  LaterBench bench;
  bench.submit(1, 11, kSign);
  for (int i = 0; i < 12; ++i) {
    bench.respond(kRetry);
    bench.wait();
  }
  CHECK(bench.sent() == Codes(13, kSign));
}

TEST_CASE("a pause is nobody's time, and a refusal is its client's", "[sched][later]") {
  LaterBench bench;
  bench.submit(1, 11, kSign);
  bench.pass(40ms);
  bench.respond(kRetry);
  bench.pass(1ms);
  bench.pass(20ms);
  bench.respond(kRetry);
  bench.pass(1ms);
  const auto activity =
      bench.dispatcher.activity_of(account_of(UserId{1000}), ContextId{1}, bench.now);
  CHECK(activity.worked == 60ms);
  REQUIRE(activity.waiting.has_value());
  CHECK(activity.waiting->since == TimePoint{});
  // It has begun once.
  std::uint64_t begun = 0;
  for (const auto& kind : bench.dispatcher.counters().waiting) begun += kind.total();
  CHECK(begun == 1);
}

TEST_CASE("while the rate of writes is limited, one of them finds out for all", "[sched][later]") {
  LaterBench bench;
  for (std::uint64_t context = 1; context <= 3; ++context) {
    bench.submit(context, context * 10, kWrite);
  }
  bench.submit(4, 40, kSign);
  bench.respond(kNvRate);
  CHECK(bench.sent() == Codes{kWrite, kSign});
  bench.respond(kGood);
  CHECK(bench.answers() == Answers{{40, Status::Success}});
  // However often it is refused, there is one of them for each pause.
  for (int pauses = 1; pauses <= 12; ++pauses) {
    const std::size_t before = bench.sent().size();
    while (bench.sent().size() == before) bench.wait();
    bench.respond(kNvRate);
    CHECK(bench.sent().size() == before + 1);
  }
  CHECK(bench.now - TimePoint{} > 1s);
  while (!bench.dispatcher.on_device()) bench.wait();
  for (int i = 0; i < 3; ++i) {
    bench.respond(kGood);
    while (i < 2 && !bench.dispatcher.on_device()) bench.wait();
  }
  CHECK(bench.answers().size() == 4);
  CHECK(bench.dispatcher.queued() == 0);
}

TEST_CASE("a TPM that puts off everybody is not asked by everybody", "[sched][later]") {
  LaterBench bench;
  for (std::uint64_t context = 1; context <= 50; ++context) bench.submit(context, context, kSign);
  while (bench.now < TimePoint{} + 10s) {
    if (bench.dispatcher.on_device())
      bench.respond(kRetry);
    else
      bench.wait();
  }
  CHECK(bench.sent().size() < 160);
  CHECK(bench.answers().empty());
  while (bench.answers().size() < 50) {
    if (bench.dispatcher.on_device())
      bench.respond(kGood);
    else
      bench.wait();
  }
  CHECK(bench.now < TimePoint{} + 12s);
}

TEST_CASE("a command that was on the TPM of another process is put off as well", "[sched][later]") {
  LaterBench bench;
  auto command = tbs::test::client_command(
      {.context = ContextId{1}, .request = RequestId{11}, .bytes = message(kSign)});
  LeftWork left{.work = {.kind = WorkKind::Command,
                         .execution = bench.engine.execute(command),
                         .command = command},
                .step = exec::Transmit{.command = message(kSign), .client_command = true}};
  static_cast<void>(left.work.execution->start());
  bench.dispatcher.device_adopted(std::move(left), bench.now);
  bench.respond(kRetry);
  CHECK(bench.answers().empty());
  CHECK(bench.wait() == 1ms);
  bench.respond(kGood);
  CHECK(bench.answers() == Answers{{11, Status::Success}});
}
