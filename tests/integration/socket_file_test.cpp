// The socket: one daemon on it at a time, a dead daemon's file is replaced, and one that systemd
// hands over is used and left alone.

#include <csignal>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/integration/support/unix_socket.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Status;

TEST_CASE("a second daemon on the same socket is refused, the first goes on") {
  TestBench bench;
  RawClient client = bench.context();
  const Outcome second =
      run_tbsd(bench.folder(), {"--device=embedded", "--socket=" + bench.everybodys_socket()});
  CHECK(second.exit_code == 1);
  CHECK(second.output.find("another daemon answers on " + bench.folder().path()) !=
        std::string::npos);
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
  CHECK(bench.context().call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("the socket that a killed daemon has left is replaced") {
  TestBench bench;
  bench.daemon().program().signal(SIGKILL);
  CHECK(bench.daemon().wait_for_exit() == 128 + SIGKILL);
  REQUIRE(::access(bench.everybodys_socket().c_str(), F_OK) == 0);
  bench.restart_daemon();
  CHECK(bench.context().call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("a file that is no socket is not replaced") {
  TempFolder folder;
  write_file(folder / "precious", "keep me");
  const Outcome outcome =
      run_tbsd(folder, {"--device=embedded", "--socket=" + folder / "precious"});
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.output.find("precious") != std::string::npos);
  CHECK(read_file(folder / "precious") == "keep me");
}

TEST_CASE("a path that is too long for a socket is refused with a reason") {
  TempFolder folder;
  const Outcome outcome =
      run_tbsd(folder, {"--device=embedded", "--socket=" + folder / std::string(120, 'x')});
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.output.find("107") != std::string::npos);
}

TEST_CASE("every user may connect to the socket") {
  TestBench bench;
  struct stat info{};
  REQUIRE(::stat(bench.everybodys_socket().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0666);
}

TEST_CASE("a socket handed over by systemd is used, and stays when the daemon leaves") {
  TempFolder folder;
  const std::string path = folder / "activated.sock";
  const int listening = listen_on(path);
  // Connected before there is a daemon, as with socket activation.
  RawClient early(path);
  early.send(1, tbs::proto::Hello{});
  DaemonProcess daemon(folder, {.device = "embedded", .listening = listening, .name = "activated"});
  CHECK(early.expect<tbs::proto::HelloReply>(1).status == Status::Success);
  CHECK(early.call(tpm::get_random(8)).status == Status::Success);
  CHECK(RawClient::context(path).call(tpm::get_random(8)).status == Status::Success);
  CHECK(daemon.stop() == 0);
  CHECK(::access(path.c_str(), F_OK) == 0);
  // The same socket serves the next daemon.
  RawClient between(path);
  between.send(1, tbs::proto::Hello{});
  DaemonProcess again(folder, {.device = "embedded", .listening = listening, .name = "again"});
  CHECK(between.expect<tbs::proto::HelloReply>(1).status == Status::Success);
  CHECK(again.stop() == 0);
  ::close(listening);
}
