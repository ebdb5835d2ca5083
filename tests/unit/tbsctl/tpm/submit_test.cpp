#include <nlohmann/json.hpp>

#include "client/tbsctl/tpm/commands.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"

using namespace tbs::ctl;
using tbs::test::RecordedDaemon;
namespace proto = tbs::proto;

namespace {

const proto::Buffer kRandomResponse = {0x80, 0x01, 0, 0, 0, 16, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4};

}  // namespace

TEST_CASE_METHOD(RecordedDaemon, "submit prints the response and its code in words",
                 "[tbsctl][submit]") {
  SubmitRequest submit{
      .command = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 4}, .priority = 300, .locality = 1};
  SECTION("success") {
    answer(proto::Result{.response = kRandomResponse});
    REQUIRE(run_submit(daemon, console(), submit).has_value());
    CHECK(out.str() == "80010000001000000000000401020304\n");
    CHECK(notes.str() == "tbsctl: the TPM answered TPM_RC_SUCCESS (0x00000000): success\n");
    const auto sent = request<proto::Submit>(0);
    CHECK(sent.priority == 300);
    CHECK(sent.locality == 1);
    CHECK(std::ranges::equal(sent.command, submit.command));
  }
  SECTION("an error of the TPM still prints the response") {
    const proto::Buffer response = {0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x02, 0xC4};
    answer(proto::Result{.response = response});
    const auto outcome = run_submit(daemon, console(true), submit);
    CHECK(outcome.error().exit == Exit::Tpm);
    CHECK(outcome.error().message.find("parameter 2") != std::string::npos);
    CHECK(nlohmann::json::parse(out.str())["response_code"] == 0x2C4);
  }
  SECTION("cancelled") {
    answer(proto::Result{.status = proto::Status::CommandCanceled});
    const auto outcome = run_submit(daemon, console(), submit);
    CHECK(outcome.error().exit == Exit::Tbs);
    CHECK(outcome.error().message.find("TBS_E_COMMAND_CANCELED") != std::string::npos);
    CHECK(out.str().empty());
  }
  SECTION("no TPM response") {
    const proto::Buffer response = {1, 2, 3};
    answer(proto::Result{.response = response});
    CHECK(run_submit(daemon, console(), submit).error().exit == Exit::Failed);
  }
}
