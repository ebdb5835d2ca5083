// Going on from a snapshot and the log: what is told about what was under way, and what happens
// when it cannot be done.

#include "daemon/tpm/response_code.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm_header.h"
#include "tests/restart/engine_life.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"
#include "tests/support/client_commands.h"
#include "tests/support/software_tpm.h"

using namespace tbs;
using namespace tbs::test;
using proto::Buffer;
using restart::InputKind;
using restart::Snapshot;

namespace {

constexpr ContextId kContext{1};
constexpr UserId kUser{1000};

// One life that is recorded, on a TPM that has been brought up.
struct Recorded final : restart::InputLog {
  explicit Recorded(World& world) : life(world) { engine.record_to(this); }

  void append(const restart::Input& input) override {
    log.push_back({.kind = input.kind, .bytes = {input.bytes.begin(), input.bytes.end()}});
  }
  void start(SoftwareTpm& tpm) {
    run(*engine.bring_up(), tpm);
    engine.open_context(kContext, principal_of(kUser));
    keep();
  }
  static exec::Done run(exec::Execution& execution, SoftwareTpm& tpm) {
    exec::Step step = execution.start();
    while (auto* const sent = std::get_if<exec::Transmit>(&step)) {
      const Buffer command = sent->command;
      step = execution.on_response(tpm.run(command));
    }
    return std::get<exec::Done>(std::move(step));
  }
  std::unique_ptr<exec::Execution> execute(Buffer bytes) {
    return engine.execute(
        client_command({.user = kUser, .context = kContext, .bytes = std::move(bytes)}));
  }
  void keep() {
    log.clear();
    engine.want_snapshot();
    state = engine.take_snapshot().value().state;
  }
  [[nodiscard]] std::vector<restart::Input> inputs() const {
    std::vector<restart::Input> all;
    for (const Snapshot::Entry& entry : log) all.push_back({entry.kind, entry.bytes});
    return all;
  }
  [[nodiscard]] Buffer now() {
    Buffer bytes;
    RecordWriter record(bytes);
    life.state().save(record);
    return bytes;
  }

  EngineLife life;
  restart::RecordedEngine engine{life.engine(), life.state(), life.outside()};
  Buffer state;
  std::vector<Snapshot::Entry> log;
};

struct Bench {
  Bench() { first.start(tpm); }

  World world;
  SoftwareTpm tpm;
  Recorded first{world};
};

}  // namespace

TEST_CASE("a command on the TPM is on it still", "[restart][recover]") {
  Bench bench;
  const auto execution = bench.first.execute(command::start_hash());
  const exec::Step step = execution->start();
  const auto& sent = std::get<exec::Transmit>(step);
  REQUIRE(sent.client_command);

  Recorded second(bench.world);
  auto live = second.engine.recover(bench.first.state, bench.first.inputs());
  REQUIRE(live);
  REQUIRE(*live);
  CHECK((*live)->origin == InputKind::Execute);
  CHECK((*live)->command->context() == kContext);
  CHECK((*live)->command->requester().user == kUser);
  CHECK_FALSE((*live)->withdrawn);
  CHECK_FALSE((*live)->carried_out);
  CHECK(std::get<exec::Transmit>(*(*live)->step).command == sent.command);
  // Its response goes the same way in both.
  const Buffer response = bench.tpm.run(sent.command);
  const auto one = std::get<exec::Done>(execution->on_response(response));
  const auto other = std::get<exec::Done>((*live)->execution->on_response(response));
  CHECK(one.response == other.response);
  CHECK(bench.first.now() == second.now());
  // And what the second was told since is in its log alone.
  REQUIRE(second.log.size() == 1);
  CHECK(second.log.front().kind == InputKind::Response);
}

TEST_CASE("what has become of a command is told when it is told again", "[restart][recover]") {
  Bench bench;
  const auto done = Recorded::run(*bench.first.execute(command::start_hash()), bench.tpm);
  Recorded second(bench.world);
  std::vector<Buffer> answers;
  const auto live = second.engine.recover(
      bench.first.state, bench.first.inputs(),
      [&](std::size_t, const SharedCommand& command, const exec::Done& ended) {
        CHECK(command->context() == kContext);
        answers.push_back(ended.response);
      });
  REQUIRE(live);
  CHECK_FALSE(*live);
  CHECK(answers == std::vector<Buffer>{done.response});
}

TEST_CASE("a command that the TPM was not ready for has not ended", "[restart][recover]") {
  Bench bench;
  const Buffer retry = tpm::bare_response(tpm::rc::kRetry);
  const auto first = bench.first.execute(command::start_hash());
  REQUIRE(std::holds_alternative<exec::Transmit>(first->start()));
  REQUIRE(std::get<exec::Done>(first->on_response(retry)).later == exec::Later::Command);
  std::vector<Buffer> answers;
  const auto note = [&](std::size_t, const SharedCommand&, const exec::Done& ended) {
    answers.push_back(ended.response);
  };
  {
    // Its request is without an answer, and is handled again.
    Recorded second(bench.world);
    const auto live = second.engine.recover(bench.first.state, bench.first.inputs(), note);
    REQUIRE(live);
    CHECK_FALSE(*live);
    CHECK(answers.empty());
    CHECK(bench.first.now() == second.now());
  }
  // When it has come again, its response is the only one.
  const auto done = Recorded::run(*bench.first.execute(command::start_hash()), bench.tpm);
  Recorded third(bench.world);
  REQUIRE(third.engine.recover(bench.first.state, bench.first.inputs(), note));
  CHECK(answers == std::vector<Buffer>{done.response});
}

TEST_CASE("a command that nobody waits for is known as such", "[restart][recover]") {
  Bench bench;
  const auto execution = bench.first.execute(command::start_hash());
  const exec::Step step = execution->start();
  execution->withdraw();
  Recorded second(bench.world);
  auto live = second.engine.recover(bench.first.state, bench.first.inputs());
  REQUIRE(live);
  CHECK((*live)->withdrawn);
  CHECK_FALSE((*live)->detached);
  execution->detach();
  // The TPM has done it, and what it has made is flushed: the client's command is carried out.
  const Buffer response = bench.tpm.run(std::get<exec::Transmit>(step).command);
  REQUIRE(std::holds_alternative<exec::Transmit>(execution->on_response(response)));
  Recorded third(bench.world);
  const auto later = third.engine.recover(bench.first.state, bench.first.inputs());
  REQUIRE(later);
  CHECK((*later)->detached);
  CHECK((*later)->carried_out);
}

TEST_CASE("a snapshot is made between two executions, with what comes after",
          "[restart][recover]") {
  Bench bench;
  const auto first = bench.first.execute(command::start_hash());
  exec::Step step = first->start();
  bench.first.engine.want_snapshot();
  // Not in the middle of one.
  CHECK_FALSE(bench.first.engine.take_snapshot());
  step = first->on_response(bench.tpm.run(std::get<exec::Transmit>(step).command));
  REQUIRE(std::holds_alternative<exec::Done>(step));
  const auto second = bench.first.execute(command::start_hash());
  const exec::Step sent = second->start();
  // Whoever asks again has asked for the same one.
  bench.first.engine.want_snapshot();
  const auto snapshot = bench.first.engine.take_snapshot();
  REQUIRE(snapshot);
  CHECK(snapshot->inputs.size() == 2);
  CHECK_FALSE(bench.first.engine.take_snapshot());

  Recorded next(bench.world);
  std::vector<restart::Input> inputs;
  for (const auto& entry : snapshot->inputs) inputs.push_back({entry.kind, entry.bytes});
  const auto live = next.engine.recover(snapshot->state, inputs);
  REQUIRE(live);
  REQUIRE(*live);
  CHECK(std::get<exec::Transmit>(*(*live)->step).command == std::get<exec::Transmit>(sent).command);

  // Once it is taken, nothing more is kept until somebody asks.
  step = second->on_response(bench.tpm.run(std::get<exec::Transmit>(sent).command));
  REQUIRE(std::holds_alternative<exec::Done>(step));
  const auto third = bench.first.execute(command::start_hash());
  CHECK_FALSE(bench.first.engine.take_snapshot());
}

TEST_CASE("what cannot be gone on from changes nothing", "[restart][recover]") {
  Bench bench;
  Recorded::run(*bench.first.execute(command::start_hash()), bench.tpm);
  Recorded second(bench.world);
  const Buffer before = second.now();
  const auto refusal = [&](const Buffer& state, const std::vector<restart::Input>& inputs) {
    const auto live = second.engine.recover(state, inputs);
    CHECK(second.now() == before);
    return live ? std::string() : live.error();
  };

  SECTION("a state that is broken anywhere") {
    const Buffer& state = bench.first.state;
    for (std::size_t size = 0; size < state.size(); size += 13) {
      const auto end = state.begin() + static_cast<std::ptrdiff_t>(size);
      CHECK_FALSE(refusal({state.begin(), end}, {}).empty());
    }
    Buffer longer = state;
    longer.push_back(0);
    CHECK(refusal(longer, {}) == "the saved state: there is more than belongs to it");
  }
  SECTION("inputs of which one is missing") {
    for (std::size_t at = 0; at < bench.first.log.size(); ++at) {
      auto inputs = bench.first.inputs();
      if (inputs[at].kind == InputKind::Response && at + 1 == inputs.size()) break;
      inputs.erase(inputs.begin() + static_cast<std::ptrdiff_t>(at));
      CHECK_FALSE(refusal(bench.first.state, inputs).empty());
    }
  }
  SECTION("a response that makes the TPM get something else") {
    auto changed = bench.first.log;
    for (Snapshot::Entry& entry : changed) {
      if (entry.kind != InputKind::Response) continue;
      entry.bytes[4 + tpm::kHeaderSize + 3] ^= 1;  // the handle that was made
    }
    changed.push_back(changed.front());
    std::vector<restart::Input> inputs;
    for (const auto& entry : changed) inputs.push_back({entry.kind, entry.bytes});
    // The client has another handle by it, or the next step is another.
    second.engine.recover(bench.first.state, inputs);
  }
  SECTION("a kind that is none") {
    const std::vector<restart::Input> inputs = {{static_cast<InputKind>(77), {}}};
    CHECK(refusal(bench.first.state, inputs) ==
          "input 1 of 1, of kind 77: it cannot come at this place");
  }
}
