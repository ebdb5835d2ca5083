// Work of the engine's own that is due at a time and not after an event: the dispatcher wakes for
// it.

#include <memory>

#include "daemon/exec/pass_through.h"
#include "daemon/sched/dispatcher.h"
#include "proto/byte_writer.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/constants.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"

using namespace tbs;
using namespace tbs::sched;
using namespace std::chrono_literals;

namespace {

using Message = std::vector<std::uint8_t>;

constexpr std::uint32_t kFlushContext = TPM2_CC_FlushContext;

Message message(std::uint32_t code) {
  return tpm::CommandBuilder(code).finish();
}

// One command, and that is it.
class Flush : public exec::Execution {
 public:
  exec::Step start() override {
    return exec::Transmit{.command = message(kFlushContext), .locality = 0};
  }
  exec::Step on_response(std::span<const std::uint8_t>) override { return exec::Done{}; }
  exec::Step on_pause_over() override { return exec::Done{}; }
  void withdraw() override {}
  void detach() override {}
};

// Ready at once, and with maintenance due at the times that the test sets.
class Clockwork : public exec::PassThrough {
 public:
  explicit Clockwork(exec::TpmIdentity& identity) : PassThrough(identity) {}

  std::unique_ptr<exec::Execution> bring_up() override { return std::make_unique<Flush>(); }
  std::unique_ptr<exec::Execution> housekeeping() override {
    ++asked;
    if (!due || now < *due || refuses) return nullptr;
    due.reset();
    return std::make_unique<Flush>();
  }
  std::optional<TimePoint> next_maintenance() const override { return due; }

  TimePoint now{};
  std::optional<TimePoint> due;
  bool refuses = false;
  int asked = 0;
};

struct Bench {
  Bench() {
    dispatcher.device_opened(engine.now);
    dispatcher.device_responded(message(0), engine.now);
    sent();
  }
  // What was sent to the device since the last call.
  std::size_t sent() {
    const auto actions = dispatcher.take_actions();
    return static_cast<std::size_t>(std::ranges::count_if(
        actions, [](const Action& a) { return std::holds_alternative<SendToDevice>(a); }));
  }
  void due_in(Duration time) {
    engine.due = engine.now + time;
    engine.open_context(ContextId{1}, principal_of(UserId{1000}));
    dispatcher.close_context(ContextId{1}, engine.now);
  }
  // As the timer does it: only when something is due.
  void pass(Duration time) {
    engine.now += time;
    const auto deadline = dispatcher.next_deadline();
    if (deadline && *deadline <= engine.now) dispatcher.tick(engine.now);
  }

  exec::TpmIdentity identity;
  Clockwork engine{identity};
  Dispatcher dispatcher{engine, {.deadline_of = [](std::uint32_t) { return 60s; }}};
};

}  // namespace

TEST_CASE("the dispatcher wakes for maintenance that nothing else calls for",
          "[sched][maintenance]") {
  Bench bench;
  bench.due_in(30min);
  bench.pass(50ms);
  REQUIRE(bench.dispatcher.next_deadline() == bench.engine.due);
  bench.pass(29min);
  REQUIRE(bench.sent() == 0);
  bench.pass(1min);
  REQUIRE(bench.sent() == 1);
  bench.dispatcher.device_responded(message(0), bench.engine.now);
  bench.pass(50ms);
  REQUIRE_FALSE(bench.dispatcher.next_deadline().has_value());
}

TEST_CASE("maintenance before the idle time is not put off", "[sched][maintenance]") {
  Bench bench;
  bench.due_in(10ms);
  REQUIRE(bench.dispatcher.next_deadline() == bench.engine.now + 10ms);
  bench.pass(10ms);
  REQUIRE(bench.sent() == 1);
}

TEST_CASE("maintenance that cannot be done does not keep the daemon busy", "[sched][maintenance]") {
  Bench bench;
  bench.due_in(1s);
  bench.engine.refuses = true;
  bench.pass(1s);
  REQUIRE(bench.sent() == 0);
  bench.pass(50ms);
  REQUIRE_FALSE(bench.dispatcher.next_deadline().has_value());
  const int asked = bench.engine.asked;
  bench.pass(1h);
  REQUIRE(bench.engine.asked == asked);
}

TEST_CASE("maintenance waits for a device that is away", "[sched][maintenance]") {
  Bench bench;
  bench.due_in(1s);
  bench.dispatcher.submit(test::client_command({.context = ContextId{2}}), bench.engine.now);
  bench.dispatcher.device_failed("unplugged", true, false, bench.engine.now);
  REQUIRE(bench.sent() == 1);
  bench.pass(2s);
  REQUIRE(bench.sent() == 0);
  REQUIRE_FALSE(bench.dispatcher.next_deadline().has_value());
  bench.dispatcher.device_opened(bench.engine.now);
  bench.dispatcher.device_responded(message(0), bench.engine.now);
  REQUIRE(bench.sent() == 2);
}
