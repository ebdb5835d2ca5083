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
