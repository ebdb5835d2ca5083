#include "client/tbsctl/connection/conversation.h"

#include <catch2/catch.hpp>

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
