// The stream may be cut anywhere: frames that arrive byte by byte, several at once, interleaved
// with those of other clients, or never to their end.

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Bytes;
using tbs::proto::Status;

namespace {

void send_bytewise(RawClient& client, const Buffer& bytes) {
  for (const std::uint8_t& byte : bytes) client.send_bytes(Bytes(&byte, 1));
}

void append(Buffer& bytes, const Buffer& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

}  // namespace

TEST_CASE("frames that arrive byte by byte") {
  TestBench bench;
  RawClient client = bench.connect();
  send_bytewise(client, frame_of(1, tbs::proto::Hello{}));
  CHECK(client.expect<tbs::proto::HelloReply>(1).status == Status::Success);
  for (std::uint64_t id = 2; id < 6; ++id) {
    send_bytewise(client, submit_frame(id, tpm::get_random(16)));
    const Answer answer = client.receive_result();
    CHECK(answer.request_id == id);
    CHECK(tpm::sized_bytes(answer.response).size() == 16);
  }
}

TEST_CASE("many frames that arrive as one piece") {
  TestBench bench;
  RawClient client = bench.connect();
  Buffer bytes = frame_of(1, tbs::proto::Hello{});
  for (std::uint64_t id = 2; id < 34; ++id) append(bytes, submit_frame(id, tpm::get_random(16)));
  append(bytes, frame_of(34, tbs::proto::DaemonStatus{}));
  client.send_bytes(bytes);
  CHECK(client.expect<tbs::proto::HelloReply>(1).status == Status::Success);
  std::size_t results = 0;
  bool status = false;
  while (results < 32 || !status) {
    const auto received = client.receive();
    REQUIRE(received);
    if (received->type == tbs::proto::Type::Result) {
      CHECK(received->request_id == 2 + results++);
    } else {
      CHECK(received->type == tbs::proto::Type::DaemonStatusReply);
      status = true;
    }
  }
}

TEST_CASE("frames of many clients, sent a byte of each in turn") {
  TestBench bench;
  std::vector<RawClient> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(bench.context());
  std::vector<Buffer> frames;
  for (std::uint16_t i = 0; i < 10; ++i) {
    // Responses of different lengths: each client gets its own.
    frames.push_back(submit_frame(100U + i, tpm::get_random(static_cast<std::uint16_t>(i + 1))));
  }
  for (std::size_t at = 0; at < frames.front().size(); ++at) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      clients[i].send_bytes(Bytes(frames[i]).subspan(at, 1));
    }
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const Answer answer = clients[i].receive_result();
    CHECK(answer.request_id == 100 + i);
    CHECK(tpm::sized_bytes(answer.response).size() == i + 1);
  }
}

TEST_CASE("frames cut off at every length, with the connection closed behind them") {
  TestBench bench;
  RawClient neighbour = bench.context();
  const Buffer hello = frame_of(1, tbs::proto::Hello{});
  for (std::size_t length = 0; length < hello.size(); ++length) {
    bench.connect().send_bytes(Bytes(hello).first(length));
  }
  const Buffer submit = submit_frame(2, tpm::get_random(8));
  for (std::size_t length = 0; length < submit.size(); ++length) {
    bench.context().send_bytes(Bytes(submit).first(length));
  }
  CHECK(neighbour.call(tpm::get_random(8)).status == Status::Success);
  CHECK(eventually([&] { return bench.contexts().size() == 1; }));
}

TEST_CASE("the largest command a device takes goes through whole") {
  TestBench bench;
  RawClient client = bench.context();
  // Too long for TPM2_Hash, which says so: it has seen all of it.
  const Answer answer = client.call(tpm::hash(Buffer(4096 - 10 - 2 - 2 - 4)));
  CHECK(answer.status == Status::Success);
  CHECK(tpm::code(answer.response).value_or(0) != tpm::kSuccess);
  const Answer small = client.call(tpm::hash(Buffer(1024, 'x')));
  CHECK(tpm::sized_bytes(small.response).size() == 32);
}
