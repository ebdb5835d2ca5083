#include <nlohmann/json.hpp>

#include "client/tbsctl/status/commands.h"
#include "client/tbsctl/status/daemon_process.h"
#include "client/tbsctl/tpm/commands.h"
#include "tests/integration/support/temp_folder.h"
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

TEST_CASE_METHOD(RecordedDaemon, "restart waits until the daemon has begun anew",
                 "[tbsctl][restart]") {
  const bool json = GENERATE(false, true);
  answer(proto::DaemonStatusReply{.uptime_us = 3'600'000'000, .version = "1"});
  // Longer than this test can have taken.
  answer(proto::DaemonStatusReply{.uptime_us = 3'700'000'000, .version = "1"});
  answer(proto::DaemonStatusReply{.contexts = 64, .uptime_us = 5, .version = "2"});
  int asked = 0;
  const auto outcome = run_restart(daemon, console(json), [&]() -> Outcome {
    CHECK(recorded.requests.size() == 1);
    ++asked;
    return {};
  });
  REQUIRE(outcome.has_value());
  CHECK(asked == 1);
  CHECK(recorded.requests.size() == 3);
  if (json) {
    CHECK(nlohmann::json::parse(out.str()) == nlohmann::json{{"version", "2"}, {"contexts", 64}});
  } else {
    CHECK(out.str() == "tbsd 2 goes on, with 64 contexts.\n");
  }
}

TEST_CASE_METHOD(RecordedDaemon, "a restart that cannot be asked for or loses the daemon fails",
                 "[tbsctl][restart]") {
  answer(proto::DaemonStatusReply{.uptime_us = 3'600'000'000});
  const auto refused = run_restart(daemon, console(), []() -> Outcome {
    return std::unexpected(Failure{.exit = Exit::Failed, .message = "no"});
  });
  CHECK(refused.error().message == "no");
  answer(proto::DaemonStatusReply{.uptime_us = 3'600'000'000});
  const auto lost = run_restart(daemon, console(), []() -> Outcome { return {}; });
  CHECK(lost.error().exit == Exit::Unreachable);
  CHECK(out.str().empty());
}

TEST_CASE("who cannot be asked for a restart is told apart", "[tbsctl][restart]") {
  const tbs::test::TempFolder proc;
  const auto why = [&proc](const std::string& name, const std::string& caught) {
    tbs::test::write_file(proc / "comm", name + "\n");
    tbs::test::write_file(
        proc / "status",
        "Name:\t" + name + "\nSigIgn:\t0000000000001000\nSigCgt:\t" + caught + "\nCapInh:\t0\n");
    return why_not_restartable(4711, proc.path());
  };
  // SIGHUP, SIGUSR2, SIGTERM.
  CHECK(why("tbsd", "0000000000004801").empty());
  CHECK(why("tbsd", "0000000000004001").find("too old") != std::string::npos);
  CHECK(why("systemd", "0000000000004801").find("process 4711") != std::string::npos);
  CHECK(why_not_restartable(0, proc.path()).find("another container") != std::string::npos);
  CHECK_FALSE(why_not_restartable(4711, proc / "gone").empty());
}
