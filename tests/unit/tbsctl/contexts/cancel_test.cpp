#include <nlohmann/json.hpp>

#include "client/tbsctl/contexts/commands.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"

using namespace tbs::ctl;
using tbs::test::RecordedDaemon;
namespace proto = tbs::proto;

TEST_CASE_METHOD(RecordedDaemon, "a refused cancel says why", "[tbsctl][cancel]") {
  SECTION("another user's") {
    answer(proto::CancelContextReply{.status = proto::Status::AccessDenied});
    const auto outcome = run_cancel(daemon, console(), 12);
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().exit == Exit::Tbs);
    CHECK(outcome.error().message.find("context 12: it belongs to another user") !=
          std::string::npos);
  }
  SECTION("no such context") {
    answer(proto::CancelContextReply{.status = proto::Status::InvalidContext});
    CHECK(run_cancel(daemon, console(), 12).error().message.find("there is none") !=
          std::string::npos);
  }
  CHECK(request<proto::CancelContext>(0).context == 12);
  CHECK(out.str().empty());
}

TEST_CASE_METHOD(RecordedDaemon, "all contexts of a process are cancelled", "[tbsctl][cancel]") {
  const bool json = GENERATE(false, true);
  answer(proto::ContextList{
      .entries = {{.context = 3, .pid = 7}, {.context = 4, .pid = 8}, {.context = 9, .pid = 7}}});
  answer(proto::CancelContextReply{});
  SECTION("both") {
    answer(proto::CancelContextReply{});
    REQUIRE(run_cancel_process(daemon, console(json), 7).has_value());
    CHECK(request<proto::CancelContext>(1).context == 3);
    CHECK(request<proto::CancelContext>(2).context == 9);
    if (json) {
      CHECK(nlohmann::json::parse(out.str()) ==
            nlohmann::json::parse(R"({"pid": 7, "contexts": [3, 9], "canceled": true})"));
    } else {
      CHECK(out.str() == "Cancelled what process 7 had outstanding, in 2 contexts.\n");
    }
  }
  SECTION("one has gone meanwhile") {
    answer(proto::CancelContextReply{.status = proto::Status::InvalidContext});
    REQUIRE(run_cancel_process(daemon, console(json), 7).has_value());
  }
  SECTION("one is another user's") {
    answer(proto::CancelContextReply{.status = proto::Status::AccessDenied});
    CHECK(run_cancel_process(daemon, console(json), 7).error().exit == Exit::Tbs);
  }
}

TEST_CASE_METHOD(RecordedDaemon, "a process without a context is an error", "[tbsctl][cancel]") {
  answer(proto::ContextList{.entries = {{.context = 3, .pid = 7}}});
  const auto outcome = run_cancel_process(daemon, console(), 9);
  CHECK(outcome.error().exit == Exit::Failed);
  CHECK(outcome.error().message.starts_with("process 9 has no context"));
}
