// SIGHUP reads the configuration again: limits change, connected clients stay, and a file that
// cannot be used changes nothing.

#include <csignal>

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Role;
using tbs::proto::Status;

namespace {

Status try_context(TestBench& bench) {
  return bench.connect().hello(Role::Context).status;
}

// The bench's own look at the daemon takes no context.
struct Reloadable {
  TempFolder folder;
  std::string file = folder / "tbsd.conf";

  explicit Reloadable(const std::string& text) { write_file(file, text); }
  DaemonOptions options() { return {.arguments = {"--config=" + file}, .administrators = false}; }
};

}  // namespace

TEST_CASE("SIGHUP changes the limit of contexts and keeps the clients") {
  Reloadable configuration("max-contexts=2\n");
  TestBench bench(configuration.options());
  RawClient first = bench.context();
  RawClient second = bench.context();
  CHECK(try_context(bench) == Status::TooManyContexts);

  write_file(configuration.file, "max-contexts=3\n");
  bench.daemon().program().signal(SIGHUP);
  CHECK(eventually([&] { return try_context(bench) == Status::Success; }));
  CHECK(first.call(tpm::get_random(8)).status == Status::Success);
  CHECK(second.call(tpm::get_random(8)).status == Status::Success);

  // Those who are there stay also when the limit is lower than their number.
  write_file(configuration.file, "max-contexts=1\n");
  bench.daemon().program().signal(SIGHUP);
  CHECK(eventually([&] { return try_context(bench) == Status::TooManyContexts; }));
  CHECK(first.call(tpm::get_random(8)).status == Status::Success);
  CHECK(second.call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("SIGHUP with a file that cannot be used keeps what is in force") {
  Reloadable configuration("max-contexts=2\n");
  TestBench bench(configuration.options());
  RawClient first = bench.context();
  RawClient second = bench.context();
  write_file(configuration.file, "max-contexts=many\n");
  bench.daemon().program().signal(SIGHUP);
  CHECK(eventually(
      [&] { return bench.daemon().log().find("was not reloaded") != std::string::npos; }));
  CHECK(try_context(bench) == Status::TooManyContexts);
  CHECK(first.call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("SIGHUP with a rule that cannot be used keeps all that is in force") {
  TempFolder rules;
  Reloadable configuration("max-contexts=1\npolicy-dir=" + rules.path() + "\n");
  TestBench bench(configuration.options());
  RawClient first = bench.context();
  // The file alone would do.
  write_file(configuration.file, "max-contexts=5\npolicy-dir=" + rules.path() + "\n");
  write_file(rules / "10.conf", "profile linux\nblock everybody\n");
  bench.daemon().program().signal(SIGHUP);
  CHECK(eventually([&] { return bench.daemon().log().contains("10.conf:2:"); }));
  CHECK(bench.daemon().log().contains("was not reloaded"));
  CHECK_FALSE(bench.daemon().log().contains("configuration reloaded"));
  CHECK(try_context(bench) == Status::TooManyContexts);

  write_file(rules / "10.conf", "profile linux\n");
  bench.daemon().program().signal(SIGHUP);
  CHECK(eventually([&] { return try_context(bench) == Status::Success; }));
}

TEST_CASE("SIGHUP with a command running leaves that command alone") {
  Reloadable configuration("max-contexts=2\n");
  TestBench bench(configuration.options());
  RawClient client = bench.context();
  bench.occupy_tpm(client);
  bench.daemon().program().signal(SIGHUP);
  CHECK(eventually(
      [&] { return bench.daemon().log().find("configuration reloaded") != std::string::npos; }));
  CHECK(bench.entry_of(client.context_id())->running == 1);
  bench.thaw_tpm();
  CHECK(client.receive_result().status == Status::Success);
}

TEST_CASE("many SIGHUPs end with what the file says last") {
  Reloadable configuration("max-contexts=2\n");
  TestBench bench(configuration.options());
  RawClient first = bench.context();
  RawClient second = bench.context();
  for (int limit = 1; limit <= 3; ++limit) {
    write_file(configuration.file, "max-contexts=" + std::to_string(limit) + "\n");
    bench.daemon().program().signal(SIGHUP);
  }
  CHECK(eventually([&] { return try_context(bench) == Status::Success; }));
}

TEST_CASE("a daemon that is stopped while it reloads leaves in good order") {
  Reloadable configuration("max-contexts=2\n");
  for (int round = 0; round < 10; ++round) {
    TestBench bench(configuration.options());
    bench.daemon().program().signal(SIGHUP);
    if (round % 2 == 0) bench.daemon().program().signal(SIGHUP);
    CHECK(bench.stop_daemon() == 0);
  }
}
