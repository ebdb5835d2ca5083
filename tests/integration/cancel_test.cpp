// Cancel concerns what one context has outstanding: queued commands end at once, the one that runs
// ends as the TPM decides, and with nothing outstanding a cancel succeeds.

#include "tests/integration/support/other_user.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Cancel;
using tbs::proto::CancelContext;
using tbs::proto::CancelContextReply;
using tbs::proto::CancelReply;
using tbs::proto::Status;

namespace {

Status cancel_context(RawClient& client, std::uint64_t context) {
  return client.ask(CancelContext{.context = context}).status;
}

// Until the daemon has taken a command of this context, as another connection sees it.
bool wait_until_queued(RawClient& observer, std::uint64_t context) {
  return eventually([&] {
    const auto list = observer.ask(tbs::proto::ListContexts{.after = context - 1});
    return !list.entries.empty() && list.entries.front().queued == 1;
  });
}

}  // namespace

TEST_CASE("queued commands are cancelled while the TPM is busy") {
  TestBench bench;
  RawClient blocker = bench.context();
  RawClient client = bench.context();
  RawClient neighbour = bench.context();
  bench.occupy_tpm(blocker);
  for (std::uint64_t id = 1; id <= 3; ++id) client.submit(id, tpm::get_random(8));
  neighbour.submit(1, tpm::get_random(8));
  REQUIRE(bench.wait_for_load(client, 3, 0));
  REQUIRE(bench.wait_for_load(neighbour, 1, 0));

  client.send(9, Cancel{});
  for (std::uint64_t id = 1; id <= 3; ++id) {
    const Answer answer = client.receive_result();
    CHECK(answer.request_id == id);
    CHECK(answer.status == Status::CommandCanceled);
    CHECK(answer.response.empty());
  }
  CHECK(client.expect<CancelReply>(9).status == Status::Success);
  CHECK(bench.entry_of(blocker.context_id())->running == 1);
  CHECK(bench.entry_of(neighbour.context_id())->queued == 1);

  bench.thaw_tpm();
  CHECK(blocker.receive_result().status == Status::Success);
  CHECK(neighbour.receive_result().status == Status::Success);
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("a cancel with nothing outstanding succeeds") {
  TestBench bench;
  RawClient client = bench.context();
  CHECK(client.ask(Cancel{}).status == Status::Success);
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
  CHECK(client.ask(Cancel{}).status == Status::Success);
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("a key generation that runs is cancelled") {
  TestBench bench;
  RawClient client = bench.context();
  // The key may be done before the cancel comes, then another one is tried.
  bool canceled = false;
  for (std::uint64_t id = 1; id <= 20 && !canceled; ++id) {
    client.submit(id, tpm::create_primary_rsa(2048));
    client.send(100 + id, Cancel{});
    std::optional<Answer> answer;
    for (int frames = 0; frames < 2; ++frames) {
      const auto received = client.receive();
      REQUIRE(received);
      if (received->type == tbs::proto::Type::CancelReply) continue;
      const auto result = tbs::proto::decode<tbs::proto::Result>(received->payload);
      REQUIRE(result);
      canceled = result->status == Status::CommandCanceled;
      if (canceled) {
        CHECK(result->response.empty());
        continue;
      }
      REQUIRE(result->status == Status::Success);
      if (tpm::code(result->response) == tpm::kSuccess) {
        answer = Answer{.request_id = id,
                        .status = result->status,
                        .response = {result->response.begin(), result->response.end()}};
      }
    }
    if (answer) client.response(tpm::flush_context(tpm::handle(answer->response)));
  }
  CHECK(canceled);
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
  CHECK(tpm::handles(client.response(tpm::get_handles(tpm::kTransientFirst))).empty());
  CHECK(bench.status().canceled >= 1);
}

TEST_CASE("another context of the same user can be cancelled, and none that is not there") {
  TestBench bench;
  RawClient blocker = bench.context();
  RawClient client = bench.context();
  RawClient other = bench.context();
  bench.occupy_tpm(blocker);
  client.submit(1, tpm::get_random(8));
  REQUIRE(bench.wait_for_load(client, 1, 0));
  CHECK(cancel_context(other, client.context_id()) == Status::Success);
  CHECK(client.receive_result().status == Status::CommandCanceled);
  CHECK(cancel_context(other, client.context_id() + 1000) == Status::InvalidContext);
  CHECK(cancel_context(other, 0) == Status::InvalidContext);
  bench.thaw_tpm();
  CHECK(blocker.receive_result().status == Status::Success);
}

TEST_CASE("another user's context can be cancelled by an administrator only") {
  if (!can_become_nobody()) return;
  TestBench bench;
  RawClient blocker = bench.context();
  RawClient client = bench.context();
  bench.occupy_tpm(blocker);
  client.submit(1, tpm::get_random(8));
  REQUIRE(bench.wait_for_load(client, 1, 0));
  const std::string socket = bench.everybodys_socket();
  const std::uint64_t target = client.context_id();
  const int outcome = as_nobody([&socket, target] {
    RawClient observer = RawClient::observer(socket);
    if (cancel_context(observer, target) != Status::AccessDenied) return 1;
    RawClient first = RawClient::context(socket);
    RawClient second = RawClient::context(socket);
    first.submit(1, tpm::get_random(8));
    if (!wait_until_queued(second, first.context_id())) return 4;
    if (cancel_context(second, first.context_id()) != Status::Success) return 2;
    return first.receive_result().status == Status::CommandCanceled ? 0 : 3;
  });
  CHECK(outcome == 0);
  CHECK(bench.entry_of(target)->queued == 1);
  bench.thaw_tpm();
  CHECK(client.receive_result().status == Status::Success);
}
