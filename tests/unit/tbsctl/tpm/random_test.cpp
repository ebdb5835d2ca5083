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

TEST_CASE_METHOD(RecordedDaemon, "random asks until it has all bytes", "[tbsctl][random]") {
  for (int i = 0; i < 3; ++i) answer(proto::Result{.response = kRandomResponse});
  SECTION("in hexadecimal") {
    REQUIRE(run_random(daemon, console(), 12, false).has_value());
    CHECK(out.str() == "010203040102030401020304\n");
  }
  SECTION("as bytes") {
    REQUIRE(run_random(daemon, console(), 12, true).has_value());
    CHECK(out.str() == "\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04");
  }
  SECTION("as JSON") {
    REQUIRE(run_random(daemon, console(true), 12, false).has_value());
    CHECK(nlohmann::json::parse(out.str())["random"] == "010203040102030401020304");
  }
  const auto last = request<proto::Submit>(2);
  CHECK(last.command.back() == 4);
}

TEST_CASE_METHOD(RecordedDaemon, "random does not take more or less than a TPM may give",
                 "[tbsctl][random]") {
  proto::Buffer response = kRandomResponse;
  SECTION("more than asked for") {
    answer(proto::Result{.response = response});
    CHECK(run_random(daemon, console(), 3, false).error().exit == Exit::Failed);
  }
  SECTION("nothing") {
    response = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0};
    answer(proto::Result{.response = response});
    CHECK(run_random(daemon, console(), 3, false).error().exit == Exit::Failed);
  }
  SECTION("an error") {
    response = {0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x09, 0x22};
    answer(proto::Result{.response = response});
    const auto outcome = run_random(daemon, console(), 3, false);
    CHECK(outcome.error().exit == Exit::Tpm);
    CHECK(outcome.error().message.find("TPM_RC_RETRY") != std::string::npos);
  }
}
