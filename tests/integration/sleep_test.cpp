// The machine sleeps and wakes up again, as logind tells it on the system bus. A bus of the test's
// own and a stand-in for logind on it; the TPM is a real one.

#include "tests/integration/support/fake_logind.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using namespace std::chrono_literals;
using tbs::proto::Buffer;
using tbs::proto::Status;

namespace {

struct Machine {
  Machine() : bus(folder), logind(bus), bench(options()) {
    REQUIRE(eventually([this] { return logind.inhibitors() == 1; }));
  }
  DaemonOptions options() { return {.environment = {bus.environment()}}; }

  // As logind does it: it tells, waits for the inhibitors, and would then put the machine to sleep.
  void fall_asleep() {
    logind.prepare_for_sleep(true);
    REQUIRE(eventually([this] { return logind.inhibitors() == 0; }));
  }
  void wake_up() {
    logind.prepare_for_sleep(false);
    REQUIRE(eventually([this] { return logind.inhibitors() == 1; }));
  }

  TempFolder folder;
  SystemBus bus;
  FakeLogind logind;
  TestBench bench;
};

std::uint32_t make_key(RawClient& client) {
  const Buffer response = client.response(tpm::create_primary_ecc());
  REQUIRE(tpm::code(response) == tpm::kSuccess);
  return tpm::handle(response);
}

}  // namespace

TEST_CASE("while the machine sleeps commands wait, and afterwards they go on") {
  Machine machine;
  RawClient client = machine.bench.context();
  const std::uint32_t key = make_key(client);
  const Buffer started = client.response(tpm::hash_sequence_start());
  for (int round = 0; round < 3; ++round) {
    machine.fall_asleep();
    const auto before = machine.bench.status().transmitted;
    client.submit(1, tpm::get_random(8));
    CHECK_FALSE(client.has_frame(200ms));
    CHECK(machine.bench.status().transmitted == before);
    machine.wake_up();
    CHECK(client.receive_result().status == Status::Success);
  }
  CHECK(tpm::code(client.response(tpm::read_public(key))) == tpm::kSuccess);
  const Buffer done = client.response(tpm::sequence_complete(tpm::handle(started)));
  CHECK(tpm::code(done) == tpm::kSuccess);
  CHECK(machine.bench.status().failed == 0);
}

TEST_CASE("a long command is cancelled for the sleep, and nobody else notices") {
  Machine machine;
  RawClient client = machine.bench.context();
  RawClient neighbour = machine.bench.context();
  machine.bench.freeze_tpm();
  client.submit(1, tpm::create_primary_rsa(2048));
  REQUIRE(machine.bench.wait_for_load(client, 0, 1));
  neighbour.submit(1, tpm::get_random(8));
  machine.fall_asleep();
  CHECK(client.receive_result().status == Status::CommandCanceled);
  CHECK_FALSE(neighbour.has_frame(0ms));
  machine.bench.thaw_tpm();
  machine.wake_up();
  CHECK(neighbour.receive_result().status == Status::Success);
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("a TPM that was reset in the sleep is started, and what it lost is refused") {
  if (device_under_test() != DeviceKind::Swtpm) {
    WARN("skipped: only swtpm can be reset and keep its connection");
    return;
  }
  Machine machine;
  RawClient client = machine.bench.context();
  const std::uint32_t key = make_key(client);
  const Buffer started = client.response(tpm::hash_sequence_start());
  machine.fall_asleep();
  machine.bench.swtpm().power_cycle();
  client.submit(1, tpm::get_random(8));
  machine.wake_up();
  CHECK(client.receive_result().status == Status::Success);
  CHECK(tpm::code(client.response(tpm::read_public(key))) ==
        tbs::tpm::by_resource_manager(tbs::tpm::at_handle(TPM2_RC_HANDLE, 1)));
  const Buffer lost = client.response(tpm::sequence_complete(tpm::handle(started)));
  CHECK(tpm::code(lost) == tbs::tpm::by_resource_manager(tbs::tpm::at_handle(TPM2_RC_HANDLE, 1)));
  CHECK(make_key(client) == key);
  CHECK_THAT(machine.bench.daemon().log(),
             Catch::Matchers::ContainsSubstring("2 objects and 0 sessions of clients"));
}

TEST_CASE("a machine that stays awake goes on") {
  Machine machine;
  RawClient client = machine.bench.context();
  machine.fall_asleep();
  client.submit(1, tpm::get_random(8));
  SECTION("logind has given up the sleep") {
    machine.wake_up();
  }
  SECTION("the bus has died") {
    machine.bus.stop();
  }
  CHECK(client.receive_result().status == Status::Success);
}

TEST_CASE("a bus that comes later, or goes and comes back, is used") {
  TempFolder folder;
  SystemBus bus(folder);
  bus.stop();
  TestBench bench({.environment = {bus.environment()}});
  RawClient client = bench.context();
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
  for (int round = 0; round < 2; ++round) {
    bus.start();
    FakeLogind logind(bus);
    REQUIRE(eventually([&] { return logind.inhibitors() == 1; }));
    logind.prepare_for_sleep(true);
    REQUIRE(eventually([&] { return logind.inhibitors() == 0; }));
    logind.prepare_for_sleep(false);
    CHECK(client.call(tpm::get_random(8)).status == Status::Success);
    bus.stop();
  }
}

TEST_CASE("a daemon that stops while the machine falls asleep lets it") {
  Machine machine;
  RawClient client = machine.bench.context();
  machine.bench.occupy_tpm(client);
  machine.logind.prepare_for_sleep(true);
  machine.bench.daemon().program().signal(SIGTERM);
  CHECK(eventually([&] { return machine.logind.inhibitors() == 0; }));
  machine.bench.thaw_tpm();
  CHECK(machine.bench.daemon().wait_for_exit() == 0);
}
