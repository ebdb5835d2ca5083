// A context has a window of commands that may be outstanding. What it sends beyond is not read
// until one is answered, and nothing is lost. Request ids are unique among the outstanding ones.

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::kMaxOutstanding;
using tbs::proto::kWindow;
using tbs::proto::Status;

TEST_CASE("a client that overruns its window loses nothing") {
  TestBench bench;
  RawClient client = bench.context();
  bench.freeze_tpm();
  constexpr std::uint64_t kCommands = 150;
  for (std::uint64_t id = 1; id <= kCommands; ++id) client.submit(id, tpm::get_random(8));
  REQUIRE(bench.wait_for_load(client, kMaxOutstanding - 1, 1));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto entry = bench.entry_of(client.context_id());
  REQUIRE(entry);
  CHECK(entry->queued == kMaxOutstanding - 1);
  CHECK(entry->submitted == kMaxOutstanding);
  bench.thaw_tpm();
  for (std::uint64_t id = 1; id <= kCommands; ++id) {
    const Answer answer = client.receive_result();
    CHECK(answer.request_id == id);
    CHECK(answer.status == Status::Success);
  }
  CHECK(bench.entry_of(client.context_id())->submitted == kCommands);
}

TEST_CASE("a cancel gets through a full window while the TPM is busy") {
  TestBench bench;
  RawClient client = bench.context();
  bench.freeze_tpm();
  for (std::uint64_t id = 1; id <= kWindow; ++id) client.submit(id, tpm::get_random(8));
  REQUIRE(bench.wait_for_load(client, kWindow - 1, 1));
  client.send(1000, tbs::proto::Cancel{});
  for (std::uint64_t id = 2; id <= kWindow; ++id) {
    CHECK(client.receive_result().status == Status::CommandCanceled);
  }
  bench.thaw_tpm();
}

TEST_CASE("a full window of one context does not concern another") {
  TestBench bench;
  RawClient greedy = bench.context();
  RawClient modest = bench.context();
  bench.freeze_tpm();
  for (std::uint64_t id = 1; id <= kMaxOutstanding + 8; ++id) greedy.submit(id, tpm::get_random(8));
  REQUIRE(bench.wait_for_load(greedy, kMaxOutstanding - 1, 1));
  modest.submit(1, tpm::get_random(8));
  REQUIRE(bench.wait_for_load(modest, 1, 0));
  CHECK(modest.ask(tbs::proto::DaemonStatus{}).queued == kMaxOutstanding);
  bench.thaw_tpm();
  CHECK(modest.receive_result().status == Status::Success);
  for (std::uint64_t id = 1; id <= kMaxOutstanding + 8; ++id) {
    CHECK(greedy.receive_result().request_id == id);
  }
}

TEST_CASE("a request id that is outstanding cannot be used again") {
  TestBench bench;
  RawClient client = bench.context();
  RawClient neighbour = bench.context();
  bench.freeze_tpm();
  neighbour.submit(5, tpm::get_random(8));
  client.submit(5, tpm::get_random(8));
  REQUIRE(bench.wait_for_load(client, 1, 0));
  client.submit(5, tpm::get_random(8));
  const auto refusal = client.receive();
  REQUIRE(refusal);
  CHECK(refusal->type == tbs::proto::Type::Refusal);
  CHECK_FALSE(client.receive());
  bench.thaw_tpm();
  CHECK(neighbour.receive_result().status == Status::Success);
}

TEST_CASE("a request id that has been answered can be used again") {
  TestBench bench;
  RawClient client = bench.context();
  for (int i = 0; i < 3; ++i) {
    client.submit(5, tpm::get_random(8));
    CHECK(client.receive_result().request_id == 5);
  }
}
