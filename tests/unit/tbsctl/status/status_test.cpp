#include <nlohmann/json.hpp>

#include "client/tbsctl/status/commands.h"
#include "client/tbsctl/tpm/commands.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"

using namespace tbs::ctl;
using tbs::test::RecordedDaemon;
namespace proto = tbs::proto;

TEST_CASE_METHOD(RecordedDaemon, "info and status are printed for people and as JSON",
                 "[tbsctl][status]") {
  const proto::DeviceInfoReply info{.tpm_version = 2,
                                    .interface_type = 4,
                                    .revision = 159,
                                    .max_command = 4096,
                                    .manufacturer = "IBM ",
                                    .device = "embedded"};
  answer(info);
  REQUIRE(run_info(daemon, console()).has_value());
  CHECK(out.str().find("Specification revision:  1.59\n") != std::string::npos);
  out.str("");
  answer(proto::DaemonStatusReply{.device_state = proto::DeviceState::Down,
                                  .uptime_us = 61'000'000,
                                  .version = "1",
                                  .device = "/dev/tpm0"});
  CHECK(run_status(daemon, console()).error().exit == Exit::NotReady);
  CHECK(out.str().find("/dev/tpm0 (down)\n") != std::string::npos);
  CHECK(out.str().find("1 min 1 s\n") != std::string::npos);
  out.str("");
  answer(proto::DaemonStatusReply{.device_state = proto::DeviceState::Ready, .commands = 9});
  REQUIRE(run_status(daemon, console(true)).has_value());
  CHECK(nlohmann::json::parse(out.str())["device_state"] == "ready");
  out.str("");
  answer(info);
  REQUIRE(run_info(daemon, console(true)).has_value());
  CHECK(nlohmann::json::parse(out.str())["tpm_version"] == "2.0");
}

TEST_CASE_METHOD(RecordedDaemon, "status says why the TPM is not ready", "[tbsctl][status]") {
  const bool json = GENERATE(false, true);
  answer(proto::DaemonStatusReply{.device_state = proto::DeviceState::Down,
                                  .problem = "open /dev/tpm0: Device or resource busy",
                                  .advice = "held by tcsd (pid 7)"});
  const auto outcome = run_status(daemon, console(json));
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().exit == Exit::NotReady);
  CHECK(outcome.error().message ==
        "the TPM is not ready: open /dev/tpm0: Device or resource busy; held by tcsd (pid 7)");
  if (json) {
    const auto printed = nlohmann::json::parse(out.str());
    CHECK(printed["problem"] == "open /dev/tpm0: Device or resource busy");
    CHECK(printed["advice"] == "held by tcsd (pid 7)");
  }
}

TEST_CASE_METHOD(RecordedDaemon, "a TPM that is still being started is not ready",
                 "[tbsctl][status]") {
  answer(proto::DaemonStatusReply{.device_state = proto::DeviceState::Starting});
  const auto outcome = run_status(daemon, console());
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().message.contains("still being started"));
}
