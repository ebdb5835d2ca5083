// Each context has a TPM of its own: what it holds is its alone, goes with it, and never fills the
// TPM for others.

#include <csignal>

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Status;

namespace {

std::uint32_t make_key(RawClient& client) {
  const Buffer response = client.response(tpm::create_primary_ecc());
  REQUIRE(tpm::code(response) == tpm::kSuccess);
  return tpm::handle(response);
}

std::vector<std::uint32_t> transients(RawClient& client) {
  return tpm::handles(client.response(tpm::get_handles(tpm::kTransientFirst)));
}

}  // namespace

TEST_CASE("many contexts hold more keys than the TPM has room for") {
  TestBench bench;
  std::vector<RawClient> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(bench.context());
  std::vector<Buffer> names;
  for (RawClient& client : clients) {
    CHECK(make_key(client) == 0x80000000);
    CHECK(make_key(client) == 0x80000001);
    names.push_back(client.response(tpm::read_public(0x80000001)));
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    CHECK(transients(clients[i]) == std::vector<std::uint32_t>{0x80000000, 0x80000001});
    CHECK(clients[i].response(tpm::read_public(0x80000001)) == names[i]);
    for (std::size_t other = 0; other < i; ++other) CHECK(names[i] != names[other]);
  }
}

TEST_CASE("a context cannot reach what another holds") {
  TestBench bench;
  RawClient owner = bench.context();
  RawClient other = bench.context();
  const std::uint32_t key = make_key(owner);
  CHECK(tpm::code(other.response(tpm::read_public(key))) != tpm::kSuccess);
  CHECK(tpm::code(other.response(tpm::flush_context(key))) != tpm::kSuccess);
  CHECK(transients(other).empty());
  CHECK(tpm::code(owner.response(tpm::read_public(key))) == tpm::kSuccess);
}

TEST_CASE("sequences of many contexts go on side by side") {
  TestBench bench;
  std::vector<RawClient> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(bench.context());
  std::vector<std::uint32_t> sequences;
  for (RawClient& client : clients) {
    const Buffer response = client.response(tpm::hash_sequence_start());
    REQUIRE(tpm::code(response) == tpm::kSuccess);
    sequences.push_back(tpm::handle(response));
  }
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      const Buffer data(8, static_cast<std::uint8_t>(i));
      CHECK(tpm::code(clients[i].response(tpm::sequence_update(sequences[i], data))) ==
            tpm::kSuccess);
    }
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const Buffer done = clients[i].response(tpm::sequence_complete(sequences[i]));
    REQUIRE(tpm::code(done) == tpm::kSuccess);
    const Buffer whole = clients[i].response(tpm::hash(Buffer(24, static_cast<std::uint8_t>(i))));
    CHECK(tpm::sequence_result(done) == tpm::sized_bytes(whole));
    CHECK(transients(clients[i]).empty());
  }
}

TEST_CASE("what a context holds goes with it") {
  TestBench bench;
  for (int round = 0; round < 10; ++round) {
    RawClient client = bench.context();
    CHECK(make_key(client) == 0x80000000);
    const Buffer response = client.response(tpm::hash_sequence_start());
    REQUIRE(tpm::code(response) == tpm::kSuccess);
    const Buffer update = client.response(tpm::sequence_update(tpm::handle(response), {1, 2, 3}));
    CHECK(tpm::code(update) == tpm::kSuccess);
  }
  CHECK(eventually([&] { return bench.contexts().empty(); }));
}

TEST_CASE("a TPM that dies takes the keys on it along, and says so") {
  if (device_under_test() == DeviceKind::Kernel) {
    WARN("skipped: the kernel's TPM cannot be killed");
    return;
  }
  TestBench bench;
  RawClient client = bench.context();
  const std::uint32_t key = make_key(client);
  bench.kill_tpm();
  bench.revive_tpm();
  REQUIRE(eventually([&] { return client.call(tpm::get_random(8)).status == Status::Success; }));
  const Buffer response = client.response(tpm::read_public(key));
  REQUIRE(tpm::code(response));
  // Saved keys survive a restart of the TPM, others do not; either way the context works.
  WARN("after the restart the key answers with code " << *tpm::code(response));
  CHECK(tpm::code(client.response(tpm::create_primary_ecc())) == tpm::kSuccess);
}

TEST_CASE("nothing stays on the TPM when all contexts are gone and the daemon dies") {
  if (device_under_test() != DeviceKind::Swtpm) {
    WARN("skipped: the embedded TPM ends with the daemon");
    return;
  }
  TestBench bench;
  {
    std::vector<RawClient> clients;
    for (int i = 0; i < 5; ++i) clients.push_back(bench.context());
    for (RawClient& client : clients) make_key(client);
  }
  REQUIRE(eventually([&] { return bench.contexts().empty(); }));
  bench.wait_until_idle();
  bench.daemon().program().signal(SIGKILL);
  bench.daemon().wait_for_exit();
  const Buffer response = bench.swtpm().ask(tpm::get_handles(tpm::kTransientFirst));
  REQUIRE(tpm::code(response) == tpm::kSuccess);
  CHECK(tpm::handles(response).empty());
}
