// Cancelling a command that the TPM does not give up: the submitter is answered within the grace,
// the command stays on the TPM as "detached", the next one waits for it, and what it creates is
// flushed.

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using namespace std::chrono_literals;
using tbs::proto::Cancel;
using tbs::proto::CancelReply;
using tbs::proto::Status;

namespace {

constexpr std::uint32_t kDetached = 2;
constexpr std::uint32_t kCreatePrimary = TPM2_CC_CreatePrimary;

// The client's key creation is on a stopped TPM and has been cancelled.
void start_and_cancel(TestBench& bench, RawClient& client) {
  bench.freeze_tpm();
  client.submit(1, tpm::create_primary_ecc());
  REQUIRE(bench.wait_for_load(client, 0, 1));
  client.send(2, Cancel{});
}

}  // namespace

TEST_CASE("the submitter of a command that cannot be stopped is answered all the same") {
  TestBench bench;
  RawClient client = bench.context();
  start_and_cancel(bench, client);
  CHECK(client.expect<CancelReply>(2).status == Status::Success);
  const Answer answer = client.receive_result();
  CHECK(answer.request_id == 1);
  CHECK(answer.status == Status::CommandCanceled);
  CHECK(answer.response.empty());

  const auto entry = bench.entry_of(client.context_id());
  REQUIRE(entry);
  CHECK(entry->running == kDetached);
  CHECK(entry->command == kCreatePrimary);
  CHECK(entry->queued == 0);

  bench.thaw_tpm();
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
  CHECK(bench.entry_of(client.context_id())->running == 0);
}

TEST_CASE("the next command waits for a detached one, and what that created is gone") {
  TestBench bench;
  RawClient client = bench.context();
  RawClient neighbour = bench.context();
  start_and_cancel(bench, client);
  client.expect<CancelReply>(2);
  client.receive_result();
  neighbour.submit(1, tpm::get_random(8));
  client.submit(3, tpm::get_random(8));
  REQUIRE(bench.wait_for_load(neighbour, 1, 0));
  CHECK_FALSE(neighbour.has_frame(200ms));

  bench.thaw_tpm();
  CHECK(neighbour.receive_result().status == Status::Success);
  CHECK(client.receive_result().request_id == 3);
  for (RawClient* const each : {&client, &neighbour}) {
    CHECK(tpm::handles(each->response(tpm::get_handles(tpm::kTransientFirst))).empty());
  }
  // All of the TPM's slots can be filled: none is lost.
  std::vector<std::uint32_t> keys;
  for (int i = 0; i < 3; ++i) {
    const auto response = client.response(tpm::create_primary_ecc());
    REQUIRE(tpm::code(response) == tpm::kSuccess);
    keys.push_back(tpm::handle(response));
  }
  for (const std::uint32_t key : keys) client.response(tpm::flush_context(key));
}

TEST_CASE("a second cancel of a detached command changes nothing") {
  TestBench bench;
  RawClient client = bench.context();
  start_and_cancel(bench, client);
  client.expect<CancelReply>(2);
  client.receive_result();
  CHECK(client.ask(Cancel{}).status == Status::Success);
  bench.thaw_tpm();
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
}
