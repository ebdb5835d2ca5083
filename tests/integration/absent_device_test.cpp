// The daemon runs without its TPM: clients are told that there is none, and as soon as it appears
// they are served.

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Role;
using tbs::proto::Status;

TEST_CASE("a device that is not there is reported as such") {
  TempFolder folder;
  DaemonProcess daemon(folder, {.device = folder / "tpm0"});
  daemon.wait_until_listening();
  RawClient client(daemon.socket());
  const auto reply = client.hello(Role::Context);
  CHECK(reply.status == Status::TpmNotFound);
  CHECK(reply.context == 0);
  const auto info = client.ask(tbs::proto::DeviceInfo{});
  CHECK(info.status == Status::TpmNotFound);
  CHECK(info.tpm_version == 0);
  const auto status = client.ask(tbs::proto::DaemonStatus{});
  CHECK(status.device_state == tbs::proto::DeviceState::Down);
  CHECK(status.contexts == 0);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a TPM that appears after the daemon is taken into service") {
  if (device_under_test() == DeviceKind::Embedded) {
    WARN("skipped: the embedded TPM is always there");
    return;
  }
  TempFolder folder;
  SwtpmProcess swtpm(folder);
  DaemonProcess daemon(folder, {.device = swtpm.device()});
  daemon.wait_until_listening();
  CHECK(RawClient(daemon.socket()).hello(Role::Context).status == Status::TpmNotFound);
  swtpm.start();
  REQUIRE(eventually(
      [&] { return RawClient(daemon.socket()).hello(Role::Context).status == Status::Success; }));
  RawClient client = RawClient::context(daemon.socket());
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a device name that cannot be understood ends the daemon with a reason") {
  TempFolder folder;
  const Outcome outcome = run_tbsd(folder, {"--device=floppy", "--socket=" + folder / "tbsd.sock"});
  CHECK(outcome.exit_code == 2);
  CHECK(outcome.output.find("floppy") != std::string::npos);
}
