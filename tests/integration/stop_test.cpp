// The daemon stops in good order whatever is going on: exit code 0, clients told, the TPM shut down
// where the daemon is what powers it, and its state kept.

#include <csignal>

#include <unistd.h>

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Status;

namespace {

constexpr std::uint32_t kIndex = 0x01500020;

// The last that a client hears of a daemon that stops.
void check_farewell(RawClient& client) {
  const auto last = client.receive();
  REQUIRE(last);
  CHECK(last->type == tbs::proto::Type::Refusal);
  const auto refusal = tbs::proto::decode<tbs::proto::Refusal>(last->payload);
  REQUIRE(refusal);
  CHECK(refusal->status == Status::ServiceNotRunning);
  CHECK_FALSE(client.receive());
}

}  // namespace

TEST_CASE("a daemon with nothing to do stops") {
  TestBench bench;
  RawClient client = bench.context();
  RawClient observer = RawClient::observer(bench.socket());
  RawClient newcomer = bench.connect();
  CHECK(bench.stop_daemon() == 0);
  CHECK(::access(bench.socket().c_str(), F_OK) != 0);
  check_farewell(client);
  check_farewell(observer);
  check_farewell(newcomer);
}

TEST_CASE("SIGINT stops it as SIGTERM does") {
  TestBench bench;
  bench.daemon().program().signal(SIGINT);
  CHECK(bench.daemon().wait_for_exit() == 0);
}

TEST_CASE("a daemon stops while a key generation runs, and the TPM's state is intact") {
  TestBench bench;
  RawClient client = bench.context();
  const Buffer data = {1, 2, 3, 4, 5, 6, 7, 8};
  REQUIRE(tpm::code(client.response(tpm::nv_define(kIndex, 8))) == tpm::kSuccess);
  REQUIRE(tpm::code(client.response(tpm::nv_write(kIndex, data))) == tpm::kSuccess);
  // However fast it is with a key, it has one in hand when the daemon is told to stop.
  bench.freeze_tpm();
  for (std::uint64_t id = 1; id <= 8; ++id) client.submit(id, tpm::create_primary_rsa(2048));
  REQUIRE(eventually([&] { return bench.entry_of(client.context_id())->running == 1; }));
  bench.daemon().program().signal(SIGTERM);
  REQUIRE(eventually([&] { return !RawClient::can_connect(bench.socket()); }));
  bench.thaw_tpm();
  CHECK(bench.daemon().wait_for_exit() == 0);
  // Each command was answered, once; then the connection ends. What ran may have come to its end
  // first.
  std::size_t refused = 0;
  for (std::uint64_t answers = 0; answers < 8; ++answers) {
    const Answer answer = client.receive_result();
    if (answer.status != Status::Success) CHECK(answer.status == Status::ServiceNotRunning);
    refused += answer.status == Status::ServiceNotRunning ? 1 : 0;
  }
  CHECK(refused >= 7);
  check_farewell(client);

  bench.restart_daemon();
  RawClient next = bench.context();
  CHECK(tpm::nv_data(next.response(tpm::nv_read(kIndex, 8))) == data);
  if (device_under_test() == DeviceKind::Embedded) {
    const auto flags = tpm::property(next.response(tpm::get_property(tpm::kPropertyStartupClear)));
    CHECK((flags & tpm::kOrderly) != 0);
  }
}

TEST_CASE("a daemon stops with commands waiting") {
  TestBench bench;
  RawClient blocker = bench.context();
  RawClient client = bench.context();
  bench.occupy_tpm(blocker);
  for (std::uint64_t id = 1; id <= 5; ++id) client.submit(id, tpm::get_random(8));
  REQUIRE(bench.wait_for_load(client, 5, 0));
  bench.daemon().program().signal(SIGTERM);
  for (std::uint64_t id = 1; id <= 5; ++id) {
    const Answer answer = client.receive_result();
    CHECK(answer.request_id == id);
    CHECK(answer.status == Status::ServiceNotRunning);
  }
  check_farewell(client);
  CHECK(blocker.receive_result().status == Status::ServiceNotRunning);
  check_farewell(blocker);
  // What comes while the TPM is still busy finds nobody.
  CHECK_FALSE(RawClient::can_connect(bench.socket()));
  bench.thaw_tpm();
  CHECK(bench.daemon().wait_for_exit() == 0);
}

TEST_CASE("a daemon whose TPM hangs stops all the same") {
  TestBench bench;
  RawClient client = bench.context();
  bench.freeze_tpm();
  client.submit(1, tpm::create_primary_ecc());
  REQUIRE(bench.wait_for_load(client, 0, 1));
  bench.daemon().program().signal(SIGTERM);
  CHECK(client.receive_result().status == Status::ServiceNotRunning);
  check_farewell(client);
  // The kernel lets no process end that has its node open while a command runs.
  if (device_under_test() == DeviceKind::Kernel) bench.thaw_tpm();
  CHECK(bench.daemon().wait_for_exit() == 0);
}

TEST_CASE("the embedded TPM's process ends with the daemon, also with one that is killed") {
  TestBench bench;
  if (device_under_test() != DeviceKind::Embedded) return;
  const auto children = children_of(bench.daemon().program().pid());
  REQUIRE(children.size() == 1);
  bench.daemon().program().signal(SIGKILL);
  bench.daemon().wait_for_exit();
  CHECK(eventually([&] { return ::kill(children.front(), 0) != 0; }));
  // And a new daemon finds the state as it was.
  bench.restart_daemon();
  CHECK(bench.context().call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("an embedded TPM goes on over a stop when it is told to") {
  if (device_under_test() != DeviceKind::Embedded) return;
  const std::string keep = GENERATE(as<std::string>(), "yes", "no");
  TestBench bench({.arguments = {"--embedded-keep-state=" + keep}});
  Buffer before;
  {
    RawClient client = bench.context();
    REQUIRE(tpm::code(client.response(tpm::pcr_extend(tpm::kDebugPcr, Buffer(32, 1)))) ==
            tpm::kSuccess);
    before = tpm::pcr_value(client.response(tpm::pcr_read(tpm::kDebugPcr)));
  }
  CHECK(bench.stop_daemon() == 0);
  bench.restart_daemon();
  RawClient client = bench.context();
  const Buffer after = tpm::pcr_value(client.response(tpm::pcr_read(tpm::kDebugPcr)));
  CHECK((after == before) == (keep == "yes"));
}
