#include "daemon/sched/agenda.h"

#include <string>
#include <utility>

#include "daemon/exec/pass_through.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"

using namespace tbs;
using namespace tbs::sched;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint kStart{};

class Nothing final : public exec::Execution {
 public:
  exec::Step start() override { return exec::Done{}; }
  exec::Step on_response(std::span<const std::uint8_t>) override { return exec::Done{}; }
  exec::Step on_pause_over() override { return exec::Done{}; }
  void withdraw() override {}
  void detach() override {}
};

// Has work when the test says so.
class Employer final : public exec::PassThrough {
 public:
  using PassThrough::PassThrough;
  std::unique_ptr<exec::Execution> housekeeping() override {
    if (never_done) return std::make_unique<Nothing>();
    return some(housekeeping_due);
  }
  std::unique_ptr<exec::Execution> idle_housekeeping() override {
    if (never_done) return std::make_unique<Nothing>();
    return some(idle_due);
  }
  std::unique_ptr<exec::Execution> evict_all() override { return some(holds_something); }
  std::optional<TimePoint> next_maintenance() const override { return next; }
  std::size_t loads_needed(const ClientCommand& command) const override {
    return command.context() == loaded ? 0 : 1;
  }

  bool housekeeping_due = false;
  bool idle_due = false;
  bool never_done = false;  // something is due, whatever was done
  bool holds_something = false;
  std::optional<TimePoint> next;
  ContextId loaded{1};

 private:
  static std::unique_ptr<exec::Execution> some(bool& due) {
    return std::exchange(due, false) ? std::make_unique<Nothing>() : nullptr;
  }
};

struct Bench {
  void wait(std::uint64_t context, std::uint32_t priority = 200) {
    agenda.queue().push(test::client_command({.context = ContextId{context}, .priority = priority}),
                        kStart);
  }
  std::optional<WorkKind> next(TimePoint now = kStart) {
    const auto work = agenda.next(now);
    return work ? std::optional(work->kind) : std::nullopt;
  }
  std::size_t quiesced() {
    const auto taken = actions.take();
    return static_cast<std::size_t>(std::ranges::count_if(
        taken, [](const Action& action) { return std::holds_alternative<Quiesced>(action); }));
  }

  exec::TpmIdentity identity;
  Employer engine{identity};
  ActionList actions;
  Agenda agenda{engine, actions, 50ms};
};

}  // namespace

TEST_CASE("what is due goes before the command whose turn it is", "[sched][agenda]") {
  Bench bench;
  bench.wait(1);
  bench.engine.housekeeping_due = true;
  bench.agenda.look_first();
  CHECK(bench.next() == WorkKind::BringUp);
  CHECK(bench.next() == WorkKind::Maintenance);
  const auto work = bench.agenda.next(kStart);
  REQUIRE(work.has_value());
  CHECK(work->kind == WorkKind::Command);
  CHECK(work->command->context() == ContextId{1});
  CHECK_FALSE(bench.next().has_value());
}

TEST_CASE("work of our own that never ends keeps no client from its turn", "[sched][agenda]") {
  Bench bench;
  bench.engine.never_done = true;
  for (int i = 0; i < 5; ++i) bench.wait(1);
  int own = 0;
  int commands = 0;
  for (int i = 0; i < 200 && commands < 5; ++i)
    ++(bench.next() == WorkKind::Command ? commands : own);
  CHECK(commands == 5);
  CHECK(own > 0);
  CHECK(own <= 5 * 8);
}

TEST_CASE("work of our own that never ends comes to rest when nothing else happens",
          "[sched][agenda]") {
  Bench bench;
  bench.engine.never_done = true;
  int own = 0;
  while (own < 1000 && bench.next() == WorkKind::Maintenance) ++own;
  CHECK(own < 1000);
  CHECK_FALSE(bench.agenda.idle_work(kStart + 1h).has_value());
  SECTION("a client's command is the next thing, and then it may go on") {
    bench.wait(1);
  }
  SECTION("a context that closes has left something behind") {
    bench.agenda.context_closed();
  }
  SECTION("a time has come") {
    bench.engine.next = kStart + 1s;
    REQUIRE_FALSE(bench.next().has_value());
    CHECK(bench.agenda.maintenance_due(kStart + 1s));
  }
  SECTION("the TPM was looked at") {
    bench.agenda.bring_up();
  }
  if (bench.agenda.queue().size() != 0) CHECK(bench.next() == WorkKind::Command);
  CHECK(bench.next() == WorkKind::Maintenance);
}

TEST_CASE("idle work comes after a while in which nothing happened", "[sched][agenda]") {
  Bench bench;
  bench.engine.idle_due = true;
  REQUIRE_FALSE(bench.next().has_value());
  CHECK(bench.agenda.deadline() == kStart + 50ms);
  CHECK_FALSE(bench.agenda.idle_work(kStart + 49ms).has_value());
  CHECK(bench.agenda.idle_work(kStart + 50ms)->kind == WorkKind::IdleMaintenance);
  CHECK_FALSE(bench.agenda.deadline().has_value());
  CHECK_FALSE(bench.agenda.idle_work(kStart + 1s).has_value());
}

TEST_CASE("maintenance is due at its time, and once", "[sched][agenda]") {
  Bench bench;
  bench.engine.next = kStart + 10ms;
  REQUIRE_FALSE(bench.next().has_value());
  CHECK(bench.agenda.deadline() == kStart + 10ms);
  CHECK_FALSE(bench.agenda.maintenance_due(kStart + 9ms));
  CHECK(bench.agenda.maintenance_due(kStart + 10ms));
  CHECK_FALSE(bench.agenda.maintenance_due(kStart + 10ms));
  // What was due already when the engine had nothing is not asked for again at once.
  REQUIRE_FALSE(bench.next(kStart + 10ms).has_value());
  CHECK(bench.agenda.deadline() == kStart + 60ms);
}

TEST_CASE("a stop ends what is due, and takes no command", "[sched][agenda]") {
  Bench bench;
  bench.wait(1);
  bench.engine.housekeeping_due = true;
  bench.agenda.stop(true);
  CHECK(bench.agenda.stopping());
  CHECK(bench.agenda.owns_power());
  CHECK(bench.next() == WorkKind::Maintenance);
  CHECK(bench.next() == WorkKind::Shutdown);
}

TEST_CASE("before a sleep the TPM is emptied, and nothing is begun", "[sched][agenda][sleep]") {
  Bench bench;
  bench.wait(1);
  bench.engine.holds_something = GENERATE(true, false);
  const bool holds = bench.engine.holds_something;
  bench.agenda.fall_asleep(kStart);
  if (holds) {
    CHECK(bench.next() == WorkKind::Maintenance);
    CHECK(bench.quiesced() == 0);
  }
  CHECK_FALSE(bench.next().has_value());
  CHECK(bench.quiesced() == 1);
  CHECK(bench.agenda.sleep().asleep());
  CHECK_FALSE(bench.next().has_value());
  CHECK(bench.quiesced() == 0);
  bench.agenda.wake_up();
  CHECK(bench.quiesced() == 0);
  CHECK(bench.next() == WorkKind::BringUp);
  CHECK(bench.next() == WorkKind::Command);
}

TEST_CASE("who waits for a sleep that does not come is told", "[sched][agenda][sleep]") {
  Bench bench;
  bench.agenda.fall_asleep(kStart);
  SECTION("awake again") {
    bench.agenda.wake_up();
  }
  SECTION("stopped") {
    bench.agenda.stop(false);
  }
  CHECK(bench.quiesced() == 1);
  CHECK(bench.agenda.sleep().awake());
}

TEST_CASE("what swapping costs decides how long a loaded command goes first", "[sched][agenda]") {
  Bench bench;
  const auto first = [&] { return bench.agenda.next(kStart)->command->context(); };
  bench.wait(2);
  bench.wait(1);
  SECTION("nothing is known: strictly by turns") {
    CHECK(first() == ContextId{2});
  }
  SECTION("a swap takes long") {
    bench.agenda.ended({.kind = WorkKind::Command,
                        .command = test::client_command({}),
                        .status = proto::Status::Success,
                        .took = 30ms,
                        .swapping = 20ms},
                       kStart);
    CHECK(first() == ContextId{1});
  }
}

TEST_CASE("the slice follows the measured cost, and has a bound", "[sched][agenda]") {
  SwapCost cost;
  CHECK(cost.slice() == Duration::zero());
  cost.learn(Duration::zero());
  CHECK(cost.slice() == Duration::zero());
  cost.learn(16ms);
  CHECK(cost.slice() == 16ms);
  cost.learn(24ms);
  CHECK(cost.slice() == 17ms);
  cost.set_slice(300);
  CHECK(cost.slice() == 51ms);
  cost.set_slice(0);
  CHECK(cost.slice() == Duration::zero());
  cost.set_slice(100);
  for (int i = 0; i < 100; ++i) cost.learn(10s);
  CHECK(cost.slice() == kMaxSlice);
}
