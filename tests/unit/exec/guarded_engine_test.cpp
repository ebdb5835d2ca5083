#include "daemon/exec/guarded_engine.h"

#include "daemon/exec/pass_through.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"

using namespace tbs;
using exec::GuardedEngine;
using proto::Buffer;

namespace {

const Buffer kFailure =
    proto::tpm_error_response(tpm::kTagNoSessions, tpm::at_session(tpm::rc::kAuthFail, 1));

class ScriptedGuard final : public CommandGuard {
 public:
  std::optional<Buffer> refusal(const ClientCommand& command) override {
    asked.push_back(command.context());
    return answer;
  }
  [[nodiscard]] bool watches(const ClientCommand&) const override { return curious; }
  void responded(const ClientCommand& command, proto::Bytes response) override {
    CHECK(command.context() == asked.back());
    seen.emplace_back(response.begin(), response.end());
  }

  std::optional<Buffer> question(const ClientCommand&) override { return wants; }
  void answered(proto::Bytes response) override {
    learnt.assign(response.begin(), response.end());
    answer = then;
  }

  std::optional<Buffer> wants;
  std::optional<Buffer> then;
  Buffer learnt;
  std::optional<Buffer> answer;
  bool curious = false;
  std::vector<ContextId> asked;
  std::vector<Buffer> seen;
};

struct Bench {
  exec::TpmIdentity identity{.family = Family::Tpm20};
  exec::PassThrough behind{identity};
  ScriptedGuard guard;
  GuardedEngine engine{behind, guard};
  SharedCommand command = test::client_command({.context = ContextId{7}});

  static Buffer sent_by(exec::Execution& execution) {
    return std::get<exec::Transmit>(execution.start()).command;
  }
};

}  // namespace

TEST_CASE("a command that the guard has nothing against goes through", "[exec][lockout]") {
  Bench bench;
  const auto execution = bench.engine.execute(bench.command);
  REQUIRE(bench.guard.asked == std::vector{ContextId{7}});
  REQUIRE(Bench::sent_by(*execution) == test::kShortCommand);
  REQUIRE(std::get<exec::Done>(execution->on_response(kFailure)).response == kFailure);
  REQUIRE(bench.guard.seen.empty());
}

TEST_CASE("a command that is refused never reaches the TPM", "[exec][lockout]") {
  Bench bench;
  bench.guard.answer = kFailure;
  bench.guard.curious = true;
  const auto execution = bench.engine.execute(bench.command);
  REQUIRE(std::get<exec::Done>(execution->start()).response == kFailure);
  REQUIRE(bench.guard.seen.empty());
}

TEST_CASE("the guard is told what nobody waits for any more", "[exec][lockout]") {
  Bench bench;
  bench.guard.curious = true;
  const auto execution = bench.engine.execute(bench.command);
  REQUIRE(Bench::sent_by(*execution) == test::kShortCommand);
  execution->detach();
  execution->on_response(kFailure);
  REQUIRE(bench.guard.seen == std::vector<Buffer>{kFailure});
}

TEST_CASE("what the guard has to ask the TPM comes before the command", "[exec][lockout]") {
  Bench bench;
  const Buffer question = {1, 2, 3};
  bench.guard.wants = question;
  bench.guard.curious = true;
  const auto execution = bench.engine.execute(bench.command);
  REQUIRE(bench.guard.asked.empty());
  const auto first = std::get<exec::Transmit>(execution->start());
  CHECK(first.command == question);
  CHECK_FALSE(first.client_command);
  const auto second = std::get<exec::Transmit>(execution->on_response(Buffer{7}));
  CHECK(bench.guard.learnt == Buffer{7});
  CHECK(second.command == test::kShortCommand);
  CHECK(second.client_command);
  CHECK(std::get<exec::Done>(execution->on_response(kFailure)).response == kFailure);
  CHECK(bench.guard.seen == std::vector<Buffer>{kFailure});
}

TEST_CASE("with the TPM's answer the guard may hold the command back", "[exec][lockout]") {
  Bench bench;
  bench.guard.wants = Buffer{1};
  bench.guard.then = kFailure;
  const auto execution = bench.engine.execute(bench.command);
  execution->start();
  CHECK(std::get<exec::Done>(execution->on_response(Buffer{7})).response == kFailure);
}

TEST_CASE("a command that is withdrawn while the TPM is asked is not sent", "[exec][lockout]") {
  Bench bench;
  bench.guard.wants = Buffer{1};
  const auto execution = bench.engine.execute(bench.command);
  execution->start();
  execution->detach();
  const auto end = std::get<exec::Done>(execution->on_response(Buffer{7}));
  CHECK(end.status == proto::Status::CommandCanceled);
  CHECK(bench.guard.learnt == Buffer{7});
  CHECK(bench.guard.asked.empty());
}
