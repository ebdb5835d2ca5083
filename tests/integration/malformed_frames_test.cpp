// A peer that breaks the protocol is told why and disconnected; nobody else notices. A command
// that is well framed but wrong is answered, and the connection goes on.

#include <random>

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::ByteWriter;
using tbs::proto::Status;
using tbs::proto::Type;

namespace {

Buffer raw_frame(std::uint16_t version, std::uint16_t type, std::uint32_t length,
                 const Buffer& payload) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.le16(version);
  out.le16(type);
  out.le32(length);
  out.le64(7);
  out.bytes(payload);
  return bytes;
}

Buffer raw_frame(Type type, const Buffer& payload) {
  return raw_frame(1, static_cast<std::uint16_t>(type), static_cast<std::uint32_t>(payload.size()),
                   payload);
}

struct Violation {
  const char* what;
  bool after_hello;
  Buffer bytes;
};

std::vector<Violation> violations() {
  return {
      {"version 0", false, raw_frame(0, 1, 16, Buffer(16))},
      {"version 2", false, raw_frame(2, 1, 16, Buffer(16))},
      {"type 0", false, raw_frame(1, 0, 0, {})},
      {"unknown type", true, raw_frame(1, 0x7fff, 0, {})},
      {"a message to clients", true, raw_frame(1, 0x8002, 4, Buffer(4))},
      {"a hello cut short", false, raw_frame(Type::Hello, Buffer(15))},
      {"a hello too long", false, raw_frame(Type::Hello, Buffer(17))},
      {"a hello of zeroes", false, raw_frame(Type::Hello, Buffer(16))},
      {"a hello of 0xff", false, raw_frame(Type::Hello, Buffer(16, 0xff))},
      {"a submit without a command", true, raw_frame(Type::Submit, Buffer(8))},
      {"a submit of 9 bytes of command", true, raw_frame(Type::Submit, Buffer(17))},
      {"a submit of 16385 bytes of command", true, raw_frame(Type::Submit, Buffer(8 + 16385))},
      {"a length of 4 GiB", true, raw_frame(1, 2, 0xffffffff, {})},
      {"a length of 2 GiB", false, raw_frame(1, 1, 0x80000000, {})},
      {"a cancel with a payload", true, raw_frame(Type::Cancel, Buffer(1))},
      {"a list-contexts cut short", true, raw_frame(Type::ListContexts, Buffer(7))},
      {"a device-info with a payload", true, raw_frame(Type::DeviceInfo, Buffer(4))},
      {"an HTTP request",
       false,
       {'G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P', '/', '1', '.', '1', '\r', '\n', '\r',
        '\n'}},
      {"16 zero bytes", true, Buffer(16)},
      {"16 bytes of 0xff", true, Buffer(16, 0xff)},
  };
}

// The daemon says why and closes.
void check_refused(RawClient& client) {
  const auto refusal = client.receive();
  REQUIRE(refusal);
  REQUIRE(refusal->type == Type::Refusal);
  const auto reason = tbs::proto::decode<tbs::proto::Refusal>(refusal->payload);
  REQUIRE(reason);
  CHECK_FALSE(reason->reason.empty());
  CHECK_FALSE(client.receive());
}

}  // namespace

TEST_CASE("a peer that breaks the protocol is refused, and nobody else notices") {
  TestBench bench;
  RawClient neighbour = bench.context();
  for (const Violation& violation : violations()) {
    INFO(violation.what);
    RawClient client = violation.after_hello ? bench.context() : bench.connect();
    client.send_bytes(violation.bytes);
    check_refused(client);
    CHECK(neighbour.call(tpm::get_random(8)).status == Status::Success);
  }
  CHECK(bench.contexts().size() == 1);
}

TEST_CASE("what a peer sent before it broke the protocol is cancelled with it") {
  TestBench bench;
  RawClient blocker = bench.context();
  RawClient client = bench.context();
  bench.occupy_tpm(blocker);
  client.submit(1, tpm::get_random(8));
  client.submit(2, tpm::get_random(8));
  client.send_bytes(Buffer(16, 0xff));
  check_refused(client);
  CHECK(bench.wait_until_gone(client.context_id()));
  CHECK(bench.status().queued == 0);
  bench.thaw_tpm();
  CHECK(blocker.receive_result().status == Status::Success);
}

TEST_CASE("a command that is no TPM command is answered, and the connection goes on") {
  TestBench bench;
  RawClient client = bench.context();
  Buffer wrong_size = tpm::get_random(8);
  wrong_size[5] = 200;
  CHECK(client.call(wrong_size).status == Status::BadParameter);
  Buffer longer = tpm::get_random(8);
  longer.push_back(0);
  CHECK(client.call(longer).status == Status::BadParameter);

  Buffer large(4097);
  large[0] = 0x80;
  large[1] = 0x01;
  large[4] = 4097 >> 8;
  large[5] = 4097 & 0xff;
  CHECK(client.call(large).status == Status::BufferTooLarge);

  // What the TPM itself refuses is the TPM's answer.
  Buffer unknown = tpm::get_random(8);
  unknown[8] = 0x7f;
  const Answer answer = client.call(unknown);
  CHECK(answer.status == Status::Success);
  CHECK(tpm::code(answer.response).value_or(0) != tpm::kSuccess);
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("random bytes of a command reach the TPM and do no harm") {
  TestBench bench;
  RawClient client = bench.context();
  std::mt19937 random(4711);
  for (int round = 0; round < 300; ++round) {
    Buffer command(10 + random() % 200);
    for (std::uint8_t& byte : command) byte = static_cast<std::uint8_t>(random());
    command[0] = 0x80;
    command[1] = static_cast<std::uint8_t>(1 + random() % 2);
    command[2] = command[3] = command[4] = 0;
    command[5] = static_cast<std::uint8_t>(command.size());
    command[6] = command[7] = 0;
    command[8] = 1;
    const Answer answer = client.call(command);
    INFO(round);
    REQUIRE(answer.status == Status::Success);
    REQUIRE(tpm::code(answer.response));
  }
}

TEST_CASE("random bytes instead of frames do no harm") {
  TestBench bench;
  RawClient neighbour = bench.context();
  std::mt19937 random(815);
  for (int round = 0; round < 100; ++round) {
    RawClient client = round % 2 == 0 ? bench.connect() : bench.context();
    Buffer noise(1 + random() % 5000);
    for (std::uint8_t& byte : noise) byte = static_cast<std::uint8_t>(random());
    client.send_some(noise);
  }
  CHECK(neighbour.call(tpm::get_random(8)).status == Status::Success);
  CHECK(eventually([&] { return bench.contexts().size() == 1; }));
}
