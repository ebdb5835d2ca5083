#include "daemon/sched/runner.h"

#include <array>
#include <deque>
#include <span>
#include <string>

#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"

using namespace tbs;
using namespace tbs::sched;
using namespace std::chrono_literals;
using proto::Status;

namespace {

using Message = std::vector<std::uint8_t>;

const Message kOk = proto::tpm_error_response(tpm::kTagNoSessions, 0);
const Message kCanceled = proto::tpm_error_response(tpm::kTagNoSessions, tpm::rc::kCanceled);
constexpr ContextId kContext{1};
constexpr ContextId kOther{2};
constexpr TimePoint kStart{};

// Takes the steps that the test has laid down, and writes down what it is told.
class Scripted final : public exec::Execution {
 public:
  Scripted(std::deque<exec::Step> steps, std::string& told)
      : steps_(std::move(steps)), told_(told) {}

  exec::Step start() override { return take("start "); }
  exec::Step on_response(std::span<const std::uint8_t>) override { return take("response "); }
  exec::Step on_pause_over() override { return take("pause-over "); }
  void withdraw() override { told_ += "withdraw "; }
  void detach() override { told_ += "detach "; }

 private:
  exec::Step take(const char* event) {
    told_ += event;
    REQUIRE_FALSE(steps_.empty());
    exec::Step step = std::move(steps_.front());
    steps_.pop_front();
    return step;
  }

  std::deque<exec::Step> steps_;
  std::string& told_;
};

exec::Transmit own_step() {
  return {.command = test::kShortCommand};
}
exec::Transmit client_step() {
  return {.command = test::kShortCommand, .client_command = true};
}
exec::Done success() {
  return {.response = kOk};
}

struct Bench {
  std::optional<EndedWork> command(std::deque<exec::Step> steps) {
    return runner.start({.kind = WorkKind::Command,
                         .execution = std::make_unique<Scripted>(std::move(steps), told),
                         .command = test::client_command({.context = kContext, .priority = 300})},
                        now);
  }
  std::optional<EndedWork> own(WorkKind kind, std::deque<exec::Step> steps) {
    return runner.start(
        {.kind = kind, .execution = std::make_unique<Scripted>(std::move(steps), told)}, now);
  }
  // The statuses of the answers since the last call.
  std::vector<Status> answers() {
    std::vector<Status> found;
    for (const Action& action : actions.take()) {
      if (const auto* const answer = std::get_if<Answer>(&action)) found.push_back(answer->status);
      if (std::holds_alternative<CancelOnDevice>(action)) ++cancels;
    }
    return found;
  }

  ActionList actions;
  Runner runner{actions, [](std::uint32_t code) {
                  return code == tpm::cc::kGetRandom ? std::chrono::seconds(60)
                                                     : std::chrono::seconds(1);
                }};
  TimePoint now = kStart;
  std::string told;
  int cancels = 0;
};

using Answers = std::vector<Status>;

}  // namespace

TEST_CASE("a command that is answered from memory ends at once", "[sched][runner]") {
  Bench bench;
  const auto ended = bench.command({success()});
  REQUIRE(ended.has_value());
  CHECK(ended->kind == WorkKind::Command);
  CHECK(ended->status == Status::Success);
  CHECK(ended->command->context() == kContext);
  CHECK_FALSE(ended->transmitted);
  CHECK(bench.answers() == Answers{Status::Success});
  CHECK_FALSE(bench.runner.busy());
  CHECK_FALSE(bench.runner.deadline().has_value());
}

TEST_CASE("time around the client's command counts as swapping", "[sched][runner]") {
  Bench bench;
  REQUIRE_FALSE(bench.command({own_step(), client_step(), own_step(), success()}).has_value());
  CHECK(bench.runner.deadline() == kStart + 60s);
  std::optional<EndedWork> ended;
  for (const Duration took : {Duration(20ms), Duration(100ms), Duration(3ms)}) {
    bench.now += took;
    ended = bench.runner.responded(kOk, bench.now);
  }
  REQUIRE(ended.has_value());
  CHECK(ended->swapping == 23ms);
  CHECK(ended->took == 123ms);
  CHECK(ended->transmitted);
  CHECK(bench.actions.counters().transmitted == 3);
  CHECK(bench.answers() == Answers{Status::Success});
}

TEST_CASE("work of the daemon's own is answered to nobody", "[sched][runner]") {
  Bench bench;
  REQUIRE_FALSE(bench.own(WorkKind::Maintenance, {own_step(), success()}).has_value());
  CHECK_FALSE(bench.runner.cancellable());
  CHECK_FALSE(bench.runner.runs_for(kContext));
  bench.now += 1ms;
  const auto ended = bench.runner.responded(kOk, bench.now);
  REQUIRE(ended.has_value());
  CHECK(ended->command == nullptr);
  CHECK(ended->swapping == Duration::zero());
  CHECK(bench.answers().empty());
}

TEST_CASE("a pause ends when its time is over", "[sched][runner]") {
  Bench bench;
  bench.command({exec::Pause{50ms}, client_step(), success()});
  CHECK(bench.runner.deadline() == kStart + 50ms);
  CHECK_FALSE(bench.runner.waits_for_device());
  bench.runner.tick(kStart + 49ms);
  CHECK(bench.told == "start ");
  bench.runner.tick(kStart + 50ms);
  CHECK(bench.told == "start pause-over ");
  CHECK(bench.runner.waits_for_device());
}

TEST_CASE("the device may miss a deadline", "[sched][runner]") {
  Bench bench;
  bench.command({client_step()});
  CHECK_FALSE(bench.runner.overdue(kStart + 59s));
  CHECK(bench.runner.overdue(kStart + 60s));
  const auto ended = bench.runner.drop(kStart + 60s);
  CHECK(ended.status == Status::IoError);
  CHECK(bench.answers() == Answers{Status::IoError});
  CHECK_FALSE(bench.runner.busy());
}

TEST_CASE("a cancel gives the device a grace, and then the submitter is answered",
          "[sched][runner][cancel]") {
  Bench bench;
  bench.command({client_step(), own_step(), exec::Done{.status = Status::CommandCanceled}});
  REQUIRE(bench.runner.cancellable());
  bench.runner.cancel(kStart + 1ms);
  CHECK_FALSE(bench.runner.cancellable());
  CHECK(bench.runner.deadline() == kStart + 1ms + kCancelGrace);
  CHECK(bench.runner.view_of(kContext).state == RunState::Running);
  bench.runner.tick(kStart + 1ms + kCancelGrace);
  CHECK(bench.answers() == Answers{Status::CommandCanceled});
  CHECK(bench.cancels == 1);
  CHECK(bench.told == "start withdraw detach ");
  CHECK(bench.runner.view_of(kContext).state == RunState::Detached);
  CHECK(bench.runner.view_of(kContext).priority == 300);
  CHECK(bench.runner.view_of(kOther).state == RunState::None);
  // It is still on the TPM, and what it has made is flushed; nobody is answered twice.
  bench.runner.responded(kOk, kStart + 1s);
  CHECK(bench.runner.responded(kOk, kStart + 2s).has_value());
  CHECK(bench.answers().empty());
}

TEST_CASE("within the grace the TPM decides how a cancel ends", "[sched][runner][cancel]") {
  Bench bench;
  SECTION("it was cancelled") {
    bench.command({client_step(), exec::Done{.response = kCanceled}});
    bench.runner.cancel(kStart);
    bench.runner.responded(kCanceled, kStart + 1ms);
    CHECK(bench.answers() == Answers{Status::CommandCanceled});
  }
  SECTION("it had finished") {
    bench.command({client_step(), success()});
    bench.runner.cancel(kStart);
    bench.runner.responded(kOk, kStart + 1ms);
    CHECK(bench.answers() == Answers{Status::Success});
  }
  SECTION("the kernel says so") {
    bench.command({client_step()});
    bench.runner.cancel(kStart);
    bench.runner.canceled_by_kernel();
    bench.runner.drop(kStart + 1ms);
    CHECK(bench.answers() == Answers{Status::CommandCanceled});
  }
  SECTION("the kernel has cancelled what nobody wanted cancelled") {
    bench.command({client_step()});
    bench.runner.canceled_by_kernel();
    bench.runner.drop(kStart + 1ms);
    CHECK(bench.answers() == Answers{Status::IoError});
  }
}

TEST_CASE("what the TPM has carried out is not answered as cancelled", "[sched][runner][cancel]") {
  // The cancel before its end, or after it.
  for (const bool before : {true, false}) {
    Bench bench;
    bench.command({client_step(), own_step(), success()});
    if (before) bench.runner.cancel(kStart);
    bench.runner.responded(kOk, kStart + 1ms);
    if (!before) bench.runner.cancel(kStart + 1ms);
    bench.runner.tick(kStart + 900ms);
    CHECK(bench.answers().empty());
    CHECK(bench.runner.responded(kOk, kStart + 1s).has_value());
    CHECK(bench.answers() == Answers{Status::Success});
    CHECK_FALSE(bench.told.contains("detach"));
  }
}

TEST_CASE("a cancel between two steps asks the device for nothing", "[sched][runner][cancel]") {
  Bench bench;
  SECTION("during a pause") {
    bench.command({exec::Pause{1s}, exec::Done{.status = Status::CommandCanceled}});
    bench.runner.cancel(kStart + 1ms);
    CHECK(bench.runner.deadline() == kStart + 1ms);
    CHECK(bench.runner.tick(kStart + 1ms).has_value());
  }
  SECTION("during a step around the command") {
    bench.command({own_step(), exec::Done{.status = Status::CommandCanceled}});
    bench.runner.cancel(kStart + 1ms);
    CHECK(bench.runner.responded(kOk, kStart + 2ms).has_value());
  }
  CHECK(bench.answers() == Answers{Status::CommandCanceled});
  CHECK(bench.cancels == 0);
}

TEST_CASE("nobody is answered whose context has closed", "[sched][runner][cancel]") {
  Bench bench;
  bench.command({client_step(), exec::Done{.status = Status::CommandCanceled}});
  bench.runner.abandon(kStart);
  CHECK(bench.told == "start withdraw detach ");
  CHECK(bench.runner.responded(kOk, kStart + 1s).has_value());
  CHECK(bench.answers().empty());
  CHECK(bench.cancels == 1);
}

TEST_CASE("only idle work makes way for a command", "[sched][runner]") {
  for (const auto& [kind, told] :
       {std::pair{WorkKind::IdleMaintenance, "start withdraw "},
        std::pair{WorkKind::Maintenance, "start "}, std::pair{WorkKind::BringUp, "start "}}) {
    Bench bench;
    bench.own(kind, {own_step()});
    bench.runner.make_way();
    CHECK(bench.told == told);
  }
  Bench idle;
  idle.runner.make_way();
  CHECK(idle.told.empty());
}

namespace {

LeftWork left_command(std::deque<exec::Step> steps, std::string& told) {
  return {.work = {.kind = WorkKind::Command,
                   .execution = std::make_unique<Scripted>(std::move(steps), told),
                   .command = test::client_command({.context = kContext, .priority = 300})},
          .step = client_step()};
}

// What was sent, and whether the process before may have sent it.
std::vector<bool> sent(ActionList& actions) {
  std::vector<bool> resumed;
  for (const Action& action : actions.take()) {
    if (const auto* const send = std::get_if<SendToDevice>(&action)) {
      resumed.push_back(send->resumed);
    }
  }
  return resumed;
}

}  // namespace

TEST_CASE("a command of the process before is waited for, and not sent again", "[sched][runner]") {
  Bench bench;
  REQUIRE_FALSE(bench.runner.adopt(left_command({client_step(), success()}, bench.told), kStart));
  CHECK(bench.told.empty());
  CHECK(bench.runner.waits_for_device());
  CHECK(sent(bench.actions) == std::vector{true});
  CHECK(bench.runner.cancellable());
  // What comes after it is new.
  REQUIRE_FALSE(bench.runner.responded(kOk, kStart));
  CHECK(sent(bench.actions) == std::vector{false});
  CHECK(bench.runner.responded(kOk, kStart).has_value());
  CHECK(bench.answers() == Answers{Status::Success});
}

TEST_CASE("a cancel that was under way goes on with a new grace", "[sched][runner]") {
  Bench bench;
  LeftWork left = left_command({exec::Done{.response = kCanceled}}, bench.told);
  left.withdrawn = true;
  bench.runner.adopt(std::move(left), kStart);
  CHECK(bench.answers().empty());
  CHECK(bench.cancels == 1);
  CHECK_FALSE(bench.runner.cancellable());
  CHECK(bench.runner.deadline() == kStart + kCancelGrace);
  CHECK(bench.runner.responded(kCanceled, kStart).has_value());
  CHECK(bench.answers() == Answers{Status::CommandCanceled});
}

TEST_CASE("a cancel that came too late waits for the answer", "[sched][runner]") {
  Bench bench;
  LeftWork left = left_command({success()}, bench.told);
  left.withdrawn = true;
  left.carried_out = true;
  left.step = own_step();
  bench.runner.adopt(std::move(left), kStart);
  CHECK(bench.cancels == 0);
  bench.runner.tick(kStart + kCancelGrace);
  CHECK(bench.answers().empty());
  CHECK(bench.runner.responded(kOk, kStart).has_value());
  CHECK(bench.answers() == Answers{Status::Success});
}

TEST_CASE("a detached command of the process before is answered to nobody", "[sched][runner]") {
  Bench bench;
  LeftWork left = left_command({success()}, bench.told);
  left.withdrawn = left.detached = true;
  bench.runner.adopt(std::move(left), kStart);
  CHECK(bench.runner.view_of(kContext).state == RunState::Detached);
  CHECK(bench.runner.responded(kOk, kStart).has_value());
  CHECK(bench.answers().empty());
}

TEST_CASE("work that was made and not started is started", "[sched][runner]") {
  Bench bench;
  LeftWork left = left_command({own_step()}, bench.told);
  left.step.reset();
  bench.runner.adopt(std::move(left), kStart);
  CHECK(bench.told == "start ");
  CHECK(sent(bench.actions) == std::vector{false});
}

TEST_CASE("a pause of the process before begins anew", "[sched][runner]") {
  Bench bench;
  LeftWork left = left_command({success()}, bench.told);
  left.step = exec::Pause{50ms};
  bench.runner.adopt(std::move(left), kStart);
  CHECK_FALSE(bench.runner.tick(kStart + 49ms).has_value());
  CHECK(bench.runner.tick(kStart + 50ms).has_value());
}

TEST_CASE("what became of a cancel is counted once", "[sched][runner]") {
  using Outcomes = std::array<std::uint64_t, kCancelOutcomeNames.size()>;
  Bench bench;
  const auto outcomes = [&] { return bench.actions.counters().cancels; };
  SECTION("nobody cancels") {
    bench.command({client_step(), success()});
    bench.runner.responded(kOk, bench.now);
    CHECK(outcomes() == Outcomes{});
  }
  SECTION("the TPM gives it up") {
    bench.command({client_step(), exec::Done{.response = kCanceled}});
    bench.runner.cancel(bench.now);
    bench.runner.responded(kCanceled, bench.now);
    CHECK(outcomes() == Outcomes{0, 1, 0, 0, 0});
  }
  SECTION("the kernel gives it up") {
    bench.command({client_step()});
    bench.runner.cancel(bench.now);
    bench.runner.canceled_by_kernel();
    bench.runner.drop(bench.now);
    CHECK(outcomes() == Outcomes{0, 1, 0, 0, 0});
  }
  SECTION("it was too late") {
    bench.command({client_step(), success()});
    bench.runner.cancel(bench.now);
    bench.runner.responded(kOk, bench.now);
    CHECK(outcomes() == Outcomes{0, 0, 1, 0, 0});
  }
  SECTION("it is answered while the TPM goes on") {
    bench.command({client_step(), success()});
    bench.runner.cancel(bench.now);
    bench.now += kCancelGrace;
    bench.runner.tick(bench.now);
    bench.runner.responded(kOk, bench.now);
    CHECK(outcomes() == Outcomes{0, 0, 0, 1, 0});
  }
  SECTION("its client goes, and the device is lost") {
    bench.command({client_step()});
    bench.runner.abandon(bench.now);
    bench.runner.drop(bench.now);
    CHECK(outcomes() == Outcomes{0, 0, 0, 1, 0});
  }
  SECTION("the device is lost before it is known") {
    bench.command({client_step()});
    bench.runner.cancel(bench.now);
    bench.runner.drop(bench.now);
    CHECK(outcomes() == Outcomes{0, 0, 0, 0, 1});
  }
}
