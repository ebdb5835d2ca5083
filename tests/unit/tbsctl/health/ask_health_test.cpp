#include "client/tbsctl/health/ask_health.h"

#include "proto/tpm/capability.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"

using namespace tbs::ctl;
using tbs::test::Recorded;
using tbs::test::RecordedStream;
namespace proto = tbs::proto;
namespace tpm = tbs::tpm;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kContextId = 7;

// Connections of recorded answers, in the order in which they are opened.
struct Connections {
  std::deque<Recorded> recorded;
  std::deque<std::uint64_t> last_ids;
  std::vector<tbs::client::Deadline> deadlines;

  void open() {
    recorded.emplace_back();
    last_ids.push_back(0);
  }
  template <typename Answer>
  void answer(std::size_t connection, const Answer& message) {
    proto::Buffer frame;
    proto::append_frame(frame, ++last_ids.at(connection), message);
    recorded.at(connection).answers.push_back(frame);
  }
  // With an observer and a context, greeted.
  Connections() {
    open(), open();
    answer(0, proto::HelloReply{});
    answer(1, proto::HelloReply{.context = kContextId});
  }
  void ready(proto::DeviceState state = proto::DeviceState::Ready) {
    answer(0, proto::DaemonStatusReply{.device_state = state});
    answer(0, proto::LimitList{.entries = {{.scope = 3, .limit = 5, .name = "max-contexts"}}});
  }

  HealthFacts ask(HealthQuestion question = {.time = 60s}) {
    std::size_t next = 0;
    return ask_health(
        [&](tbs::client::Deadline deadline) -> std::expected<std::unique_ptr<Stream>, Failure> {
          deadlines.push_back(deadline);
          if (next == recorded.size()) {
            return std::unexpected(Failure{.exit = Exit::Unreachable, .message = "not running"});
          }
          return std::make_unique<RecordedStream>(recorded[next++]);
        },
        question);
  }
};

}  // namespace

TEST_CASE("health asks tbsd and the TPM", "[tbsctl][health]") {
  Connections connections;
  connections.ready();
  connections.answer(0, proto::DeviceInfoReply{.tpm_version = 2});
  const auto response = tpm::properties_response(
      {.more = false,
       .items = {{tpm::pt::kVariable, TPMA_PERMANENT_INLOCKOUT}, {tpm::pt::kLockoutCounter, 3}}});
  connections.answer(1, proto::Result{.response = response});
  const HealthFacts facts = connections.ask();
  CHECK(facts.status->device_state == proto::DeviceState::Ready);
  CHECK(facts.limits.size() == 1);
  CHECK(facts.tpm == TpmReply::Answered);
  REQUIRE(facts.lockout);
  CHECK(facts.lockout->in_lockout);
  CHECK(facts.lockout->counter == 3);
  // Everything has one of two deadlines, and none is without.
  REQUIRE(connections.deadlines.size() == 2);
  CHECK(*connections.deadlines[1] < *connections.deadlines[0]);
  for (const auto& deadline : connections.recorded[0].deadlines) {
    CHECK(*deadline <= *connections.deadlines[0]);
  }
  for (const auto& deadline : connections.recorded[1].deadlines) {
    CHECK(*deadline <= *connections.deadlines[1]);
  }
}

TEST_CASE("health asks a TPM 1.2 in its language", "[tbsctl][health]") {
  Connections connections;
  connections.ready();
  connections.answer(0, proto::DeviceInfoReply{.tpm_version = 1});
  const proto::Buffer response = {0, 0xc4, 0, 0, 0, 10, 0, 0, 0, 0};
  connections.answer(1, proto::Result{.response = response});
  const HealthFacts facts = connections.ask();
  CHECK(facts.tpm == TpmReply::Answered);
  CHECK(facts.tpm_response == 0);
  CHECK_FALSE(facts.lockout);
  const proto::Bytes sent(connections.recorded[1].requests.at(1));
  CHECK(proto::decode<proto::Submit>(sent.subspan(proto::kFrameHeaderSize)).value().command[1] ==
        0xc1);
}

TEST_CASE("health sends the TPM nothing when it need not be", "[tbsctl][health]") {
  Connections connections;
  const bool passive = GENERATE(false, true);
  connections.ready(passive ? proto::DeviceState::Ready : proto::DeviceState::Down);
  CHECK(connections.ask({.time = 60s, .ask_tpm = !passive}).tpm == TpmReply::NotAsked);
  CHECK(connections.deadlines.size() == 1);
}

TEST_CASE("health of a tbsd that is not there, or goes", "[tbsctl][health]") {
  Connections connections;
  SECTION("nobody listens") {
    connections.recorded.clear();
    CHECK(connections.ask().unreachable == "not running");
  }
  SECTION("it says nothing more after the hello") {
    CHECK(connections.ask().unreachable == "lost");
  }
  SECTION("it refuses") {
    connections.answer(0, proto::DaemonStatusReply{.status = proto::Status::InternalError});
    CHECK(connections.ask().unreachable.contains("TBS_E_INTERNAL_ERROR"));
  }
  SECTION("it goes while the TPM is asked") {
    connections.ready();
    connections.answer(0, proto::DeviceInfoReply{.tpm_version = 2});
    const HealthFacts facts = connections.ask();
    CHECK(facts.tpm == TpmReply::Failed);
    CHECK(facts.tpm_failure == "lost");
  }
}

TEST_CASE("health: a context is refused", "[tbsctl][health]") {
  Connections connections;
  connections.ready();
  connections.answer(0, proto::DeviceInfoReply{.tpm_version = 2});
  connections.recorded[1].answers.clear();
  connections.last_ids[1] = 0;
  connections.answer(1, proto::HelloReply{.status = proto::Status::TooManyContexts});
  const HealthFacts facts = connections.ask();
  CHECK(facts.tpm == TpmReply::NoContext);
  CHECK(facts.tpm_failure.contains("TBS_E_TOO_MANY_TBS_CONTEXTS"));
}

TEST_CASE("health: a TPM that is silent, and one that others keep busy", "[tbsctl][health]") {
  Connections connections;
  connections.ready();
  connections.answer(0, proto::DeviceInfoReply{.tpm_version = 2});
  const bool busy = GENERATE(false, true);
  connections.answer(
      0, proto::ContextList{.entries = {{.context = kContextId, .running = busy ? 0U : 1U}}});
  connections.answer(
      0, proto::DaemonStatusReply{.device_state = proto::DeviceState::Ready, .problem = "new"});
  // No time at all: what does not come at once is late.
  const HealthFacts facts = connections.ask({.time = 0s});
  CHECK(facts.tpm == (busy ? TpmReply::Busy : TpmReply::Silent));
  CHECK(facts.status->problem == "new");
}
