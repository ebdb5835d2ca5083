// When all contexts are taken the next client is told so, and one that leaves makes room.

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Role;
using tbs::proto::Status;
using tbs::proto::Type;

TEST_CASE("one context too many is refused until another closes") {
  TestBench bench({.arguments = {"--max-contexts=5"}, .administrators = false});
  std::vector<RawClient> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(bench.context());
  RawClient late = bench.connect();
  const auto refused = late.hello(Role::Context);
  CHECK(refused.status == Status::TooManyContexts);
  CHECK(refused.context == 0);
  // Its connection is as good as an observer's.
  CHECK(late.ask(tbs::proto::DaemonStatus{}).contexts == 5);
  RawClient::observer(bench.socket());

  const std::uint64_t leaving = clients.back().context_id();
  clients.pop_back();
  REQUIRE(bench.wait_until_gone(leaving));
  RawClient next = bench.context();
  CHECK(next.call(tpm::get_random(8)).status == Status::Success);
  CHECK(bench.connect().hello(Role::Context).status == Status::TooManyContexts);
}

namespace {

// The answer to a hello. One connection too many is refused before it has said anything, and may be
// closed before it can.
std::optional<Received> first_answer(RawClient& client) {
  try {
    client.send(1, tbs::proto::Hello{.role = Role::Observer});
  } catch (const std::exception&) {
  }
  return client.receive();
}

}  // namespace

TEST_CASE("connections that are no contexts are limited too") {
  TestBench bench({.arguments = {"--max-contexts=1"}});
  RawClient client = bench.context();
  std::vector<RawClient> crowd;
  std::optional<RawClient> refused;
  for (int i = 0; i < 100 && !refused; ++i) {
    crowd.push_back(bench.connect());
    const auto received = first_answer(crowd.back());
    REQUIRE(received);
    if (received->type == Type::Refusal) refused = std::move(crowd.back());
  }
  REQUIRE(refused);
  CHECK_FALSE(refused->receive());
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
  crowd.clear();
  CHECK(eventually([&] {
    RawClient probe = bench.connect();
    const auto received = first_answer(probe);
    return received && received->type == Type::HelloReply;
  }));
}
