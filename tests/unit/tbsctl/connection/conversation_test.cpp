#include "client/tbsctl/connection/conversation.h"

#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"

using namespace tbs::ctl;
using tbs::test::RecordedDaemon;
namespace proto = tbs::proto;

TEST_CASE_METHOD(RecordedDaemon, "a refusal's reason reaches the user", "[tbsctl][conversation]") {
  answer(proto::Refusal{.status = proto::Status::TooManyContexts, .reason = "100 are\nopen"});
  const auto hello = daemon.handshake(proto::Role::Context, proto::kWantTpm20);
  REQUIRE_FALSE(hello.has_value());
  CHECK(hello.error().exit == Exit::Tbs);
  CHECK(hello.error().message.find("\"100 are?open\"") != std::string::npos);
  CHECK(hello.error().message.find("TBS_E_TOO_MANY_TBS_CONTEXTS") != std::string::npos);
}

TEST_CASE_METHOD(RecordedDaemon, "a hello that is not accepted is a TBS error",
                 "[tbsctl][conversation]") {
  answer(proto::HelloReply{.status = proto::Status::ServiceStartPending});
  const auto hello = daemon.handshake(proto::Role::Observer, 0);
  REQUIRE_FALSE(hello.has_value());
  CHECK(hello.error().exit == Exit::Tbs);
}

TEST_CASE_METHOD(RecordedDaemon, "a daemon that breaks the protocol is told from one that is gone",
                 "[tbsctl][conversation]") {
  SECTION("gone") {
    CHECK(daemon.ask(proto::DaemonStatus{}).error().exit == Exit::Unreachable);
  }
  SECTION("another answer") {
    answer(proto::DeviceInfoReply{});
    CHECK(daemon.ask(proto::DaemonStatus{}).error().exit == Exit::Failed);
  }
  SECTION("another request's answer") {
    last_id = 5;
    answer(proto::DaemonStatusReply{});
    CHECK(daemon.ask(proto::DaemonStatus{}).error().exit == Exit::Failed);
  }
  SECTION("no frame") {
    recorded.answers.push_back(proto::Buffer(16, 0xEE));
    CHECK(daemon.ask(proto::DaemonStatus{}).error().exit == Exit::Failed);
  }
}

namespace {

// How long from now on, in whole seconds; nothing: for ever.
std::optional<long> seconds_left(const tbs::client::Deadline& deadline) {
  if (!deadline) return std::nullopt;
  return std::chrono::ceil<std::chrono::seconds>(*deadline - tbs::client::Clock::now()).count();
}

const proto::Buffer kResponse(16, 1);

}  // namespace

TEST_CASE_METHOD(RecordedDaemon, "an answer that comes byte by byte has to come to an end",
                 "[tbsctl][conversation]") {
  answer(proto::LockoutResetReply{});
  REQUIRE(daemon.ask(proto::LockoutReset{}).has_value());
  // All pieces are waited for until the same moment.
  REQUIRE(recorded.deadlines.size() > 1);
  CHECK(seconds_left(recorded.deadlines.front()).value() <= 10);
  for (const auto& deadline : recorded.deadlines) CHECK(deadline == recorded.deadlines.front());
}

TEST_CASE_METHOD(RecordedDaemon, "the answer to what could not be sent is not waited for",
                 "[tbsctl][conversation]") {
  CHECK_FALSE(daemon.ask(proto::DeviceInfo{}).has_value());
  REQUIRE(recorded.deadlines.size() == 1);
  CHECK(seconds_left(recorded.deadlines.front()).value() <= 1);
}

TEST_CASE_METHOD(RecordedDaemon, "a user's TPM command takes as long as it takes",
                 "[tbsctl][conversation]") {
  answer(proto::Result{.response = kResponse});
  REQUIRE(daemon
              .ask(proto::Submit{.command = kResponse},
                   Conversation::deadline_for(tbs::ctl::Patience::Command))
              .has_value());
  CHECK_FALSE(recorded.deadlines.front().has_value());
  // What has begun has to come to an end.
  CHECK(seconds_left(recorded.deadlines.back()).value() <= 10);
}

TEST_CASE_METHOD(RecordedDaemon, "the TPM commands of tbsctl have one time together",
                 "[tbsctl][conversation]") {
  answer(proto::Result{.response = kResponse});
  answer(proto::Result{.response = kResponse});
  REQUIRE(daemon.ask(proto::Submit{.command = kResponse}).has_value());
  const auto first = recorded.deadlines.front();
  CHECK(seconds_left(first).value() <= 120);
  recorded.deadlines.clear();
  REQUIRE(daemon.ask(proto::Submit{.command = kResponse}).has_value());
  CHECK(recorded.deadlines.front() == first);
}
