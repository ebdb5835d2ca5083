// A connection starts with one hello, in time, and may then do what its role allows.

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using namespace std::chrono_literals;
using tbs::proto::Hello;
using tbs::proto::HelloReply;
using tbs::proto::Role;
using tbs::proto::Status;
using tbs::proto::Type;

namespace {

Status refusal_of(RawClient& client) {
  const auto received = client.receive();
  REQUIRE(received);
  REQUIRE(received->type == Type::Refusal);
  const auto refusal = tbs::proto::decode<tbs::proto::Refusal>(received->payload);
  REQUIRE(refusal);
  CHECK_FALSE(client.receive());
  return refusal->status;
}

}  // namespace

TEST_CASE("a connection that says nothing is closed after its deadline") {
  TestBench bench;
  RawClient silent = bench.connect();
  RawClient stammering = bench.connect();
  stammering.send_bytes(tbs::proto::Bytes(frame_of(1, Hello{})).first(20));
  const auto start = std::chrono::steady_clock::now();
  CHECK(refusal_of(silent) == Status::BadParameter);
  CHECK(refusal_of(stammering) == Status::BadParameter);
  CHECK(std::chrono::steady_clock::now() - start > 3s);
}

TEST_CASE("a greeted connection may be silent for longer than the deadline of the hello") {
  TestBench bench;
  RawClient client = bench.context();
  CHECK_FALSE(client.has_frame(6s));
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("a hello is answered with what the client needs to know") {
  TestBench bench;
  RawClient client = bench.connect();
  const HelloReply reply = client.hello(Role::Context);
  CHECK(reply.status == Status::Success);
  CHECK(reply.version == 2);
  CHECK(reply.window == tbs::proto::kWindow);
  CHECK(reply.context != 0);
  CHECK(reply.max_command >= 4096);
  CHECK(reply.max_response >= 4096);

  RawClient both = bench.connect();
  CHECK(both.hello(Role::Context, tbs::proto::kWantTpm12 | tbs::proto::kWantTpm20).status ==
        Status::Success);
  RawClient old = bench.connect();
  CHECK(old.hello(Role::Context, tbs::proto::kWantTpm12).status == Status::TpmNotFound);
}

TEST_CASE("hello comes once") {
  TestBench bench;
  RawClient client = bench.context();
  client.send(1, Hello{});
  CHECK(refusal_of(client) == Status::BadParameter);
  RawClient pipelined = bench.connect();
  pipelined.send(1, Hello{});
  pipelined.send(2, Hello{});
  CHECK(pipelined.expect<HelloReply>(1).status == Status::Success);
  CHECK(refusal_of(pipelined) == Status::BadParameter);
}

TEST_CASE("nothing comes before hello") {
  TestBench bench;
  for (const auto& first :
       {submit_frame(1, tpm::get_random(8)), frame_of(1, tbs::proto::Cancel{}),
        frame_of(1, tbs::proto::DeviceInfo{}), frame_of(1, tbs::proto::ListContexts{}),
        frame_of(1, tbs::proto::CancelContext{}), frame_of(1, tbs::proto::DaemonStatus{}),
        frame_of(1, tbs::proto::MakeSticky{})}) {
    RawClient client = bench.connect();
    client.send_bytes(first);
    CHECK(refusal_of(client) == Status::BadParameter);
  }
}

TEST_CASE("an observer looks and does not touch") {
  TestBench bench;
  RawClient submitter = RawClient::observer(bench.socket());
  CHECK(submitter.context_id() == 0);
  const auto info = submitter.ask(tbs::proto::DeviceInfo{});
  CHECK(info.status == Status::Success);
  CHECK(info.tpm_version == 2);
  CHECK_FALSE(info.manufacturer.empty());
  submitter.submit(1, tpm::get_random(8));
  CHECK(refusal_of(submitter) == Status::InvalidContext);
  RawClient canceller = RawClient::observer(bench.socket());
  canceller.send(1, tbs::proto::Cancel{});
  CHECK(refusal_of(canceller) == Status::InvalidContext);
}

TEST_CASE("a hello of another version or role is refused") {
  TestBench bench;
  for (const Hello& hello :
       {Hello{.version_min = 3, .version_max = 4}, Hello{.version_min = 0, .version_max = 0},
        Hello{.role = static_cast<Role>(3)}}) {
    RawClient client = bench.connect();
    client.send(1, hello);
    CHECK(refusal_of(client) == Status::InvalidContextParam);
  }
  RawClient future = bench.connect();
  future.send(1, Hello{.version_min = 1, .version_max = 9});
  CHECK(future.expect<HelloReply>(1).version == 2);
  RawClient past = bench.connect();
  past.send(1, Hello{.version_min = 1, .version_max = 1});
  CHECK(past.expect<HelloReply>(1).version == 1);
}
