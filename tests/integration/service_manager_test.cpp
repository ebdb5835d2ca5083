// What the service manager is told: readiness once the TPM is known, reloading, stopping, and the
// watchdog's beat, also while the TPM is busy.

#include <chrono>
#include <csignal>
#include <utility>

#include "tests/integration/support/notify_socket.h"
#include "tests/integration/support/program.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using namespace std::chrono_literals;

TEST_CASE("the service manager hears of readiness, reloading and stopping") {
  TempFolder folder;
  NotifySocket manager(folder);
  TestBench bench({.environment = {manager.environment()}});
  CHECK(manager.hears("READY=1"));
  bench.daemon().program().signal(SIGHUP);
  CHECK(manager.hears("RELOADING=1"));
  CHECK(manager.hears("READY=1"));
  bench.daemon().program().signal(SIGTERM);
  CHECK(manager.hears("STOPPING=1"));
  CHECK(bench.daemon().wait_for_exit() == 0);
}

TEST_CASE("the watchdog is fed, also while the TPM does not answer") {
  TempFolder folder;
  NotifySocket manager(folder);
  TestBench bench({.environment = {manager.environment(), "WATCHDOG_USEC=200000"}});
  RawClient client = bench.context();
  for (int i = 0; i < 3; ++i) CHECK(manager.hears("WATCHDOG=1"));
  bench.occupy_tpm(client);
  for (int i = 0; i < 5; ++i) CHECK(manager.hears("WATCHDOG=1"));
  bench.thaw_tpm();
  client.receive_result();
}

TEST_CASE("without a TPM the daemon is ready, and says what is wrong") {
  TempFolder folder;
  NotifySocket manager(folder);
  DaemonProcess daemon(folder, {.device = folder / "tpm0", .environment = {manager.environment()}});
  CHECK(manager.hears("READY=1"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a daemon that cannot start is not started anew at once") {
  TempFolder folder;
  NotifySocket manager(folder);
  for (const auto& [wrong, exit_code] :
       {std::pair("--admin-group=no-such-group", 1), std::pair("--device=nonsense", 2)}) {
    const auto begin = std::chrono::steady_clock::now();
    Program tbsd({.command = {tbsd_program(), "--config=/dev/null", wrong},
                  .environment = {manager.environment()},
                  .output = folder / "tbsd.log"});
    CHECK(tbsd.wait() == exit_code);
    CHECK(std::chrono::steady_clock::now() - begin >= 3s);
    CHECK(manager.hears("STATUS=could not start; the log says why"));
    CHECK_FALSE(read_file(folder / "tbsd.log").empty());
  }
}
