// The TPM dies in the middle of its work: each waiting command is answered TBS_E_IOERROR, once, and
// when the TPM is back the same connections work again, without anybody's help.

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using namespace std::chrono_literals;
using tbs::proto::Status;

TEST_CASE("every waiting command is answered when the TPM dies") {
  TestBench bench;
  std::vector<RawClient> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(bench.context());
  bench.freeze_tpm();
  clients.front().submit(1, tpm::create_primary_ecc());
  REQUIRE(bench.wait_for_load(clients.front(), 0, 1));
  for (std::uint64_t id = 2; id <= 6; ++id) {
    for (RawClient& client : clients) client.submit(id, tpm::get_random(8));
  }
  for (std::size_t i = 1; i < clients.size(); ++i) REQUIRE(bench.wait_for_load(clients[i], 5, 0));
  bench.kill_tpm();
  for (std::size_t i = 0; i < clients.size(); ++i) {
    for (std::uint64_t id = i == 0 ? 1 : 2; id <= 6; ++id) {
      const Answer answer = clients[i].receive_result();
      CHECK(answer.request_id == id);
      CHECK(answer.status == Status::IoError);
      CHECK(answer.response.empty());
    }
  }
  bench.revive_tpm();
  REQUIRE(bench.wait_until_ready());
  for (RawClient& client : clients) {
    CHECK_FALSE(client.has_frame(0ms));
    CHECK(client.call(tpm::get_random(8)).status == Status::Success);
  }
  CHECK(bench.status().reopened >= 1);
  CHECK(bench.status().failed == 26);
}

TEST_CASE("a TPM that dies while idle is back for the next command") {
  TestBench bench;
  RawClient client = bench.context();
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
  bench.kill_tpm();
  bench.revive_tpm();
  // Commands in between may fail, one after the other; they are always answered.
  CHECK(eventually([&] { return client.call(tpm::get_random(8)).status == Status::Success; }));
  CHECK(bench.context().call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("a TPM that dies again and again comes back each time") {
  TestBench bench;
  RawClient client = bench.context();
  for (int round = 0; round < 5; ++round) {
    bench.occupy_tpm(client);
    bench.kill_tpm();
    CHECK(client.receive_result().status == Status::IoError);
    bench.revive_tpm();
    REQUIRE(bench.wait_until_ready());
    CHECK(client.call(tpm::get_random(8)).status == Status::Success);
  }
}

TEST_CASE("while the TPM is away commands are answered and do not wait") {
  TestBench bench;
  if (device_under_test() == DeviceKind::Embedded) {
    WARN("skipped: the embedded TPM is never away for long");
    return;
  }
  RawClient client = bench.context();
  bench.occupy_tpm(client);
  bench.kill_tpm();
  CHECK(client.receive_result().status == Status::IoError);
  CHECK(client.call(tpm::get_random(8)).status == Status::IoError);
  CHECK(bench.status().device_state == tbs::proto::DeviceState::Down);
  // The daemon stops as it should without its TPM, too.
}

TEST_CASE("a detached command ends with the TPM that it was on") {
  TestBench bench;
  RawClient client = bench.context();
  bench.occupy_tpm(client);
  client.send(2, tbs::proto::Cancel{});
  client.expect<tbs::proto::CancelReply>(2);
  CHECK(client.receive_result().status == Status::CommandCanceled);
  bench.kill_tpm();
  bench.revive_tpm();
  CHECK(eventually([&] { return client.call(tpm::get_random(8)).status == Status::Success; }));
}

TEST_CASE("a TPM that hangs is given up after the deadline of its command") {
  TestBench bench;
  RawClient client = bench.context();
  RawClient neighbour = bench.context();
  bench.occupy_tpm(client);
  neighbour.submit(1, tpm::get_random(8));
  CHECK(client.receive_result().status == Status::IoError);
  CHECK(neighbour.receive_result().status == Status::IoError);
  bench.thaw_tpm();
  REQUIRE(bench.wait_until_ready());
  CHECK(bench.status().reopened == 1);
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
}
