// The parts of tbsctl bridge that decide without a socket. The frames themselves are compared with
// real clients in tests/integration, and cut to pieces in tests/fuzz.

#include <catch2/catch.hpp>

#include "client/tbsctl/bridge/address.h"
#include "client/tbsctl/bridge/framing.h"
#include "client/tbsctl/bridge/peer.h"
#include "client/tbsctl/bridge/tpm_answer.h"
#include "proto/tpm/constants.h"
#include "proto/tpm_header.h"

using namespace tbs;
using namespace tbs::ctl::bridge;

namespace {

const proto::Buffer kStartup{0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0};
const proto::Buffer kGetRandom{0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7B, 0, 8};
const proto::Buffer kStartup12{0, 0xC1, 0, 0, 0, 12, 0, 0, 0, 0x99, 0, 1};

std::uint32_t adapted(const proto::Buffer& command, std::uint16_t tag, std::uint32_t code) {
  proto::Buffer response = proto::tpm_error_response(tag, code);
  adapt_response(command, response);
  return proto::read_tpm_header(response)->code;
}

std::uint32_t answered(const proto::Buffer& command, proto::Status why) {
  return proto::read_tpm_header(answer_for(command, why))->code;
}

}  // namespace

TEST_CASE("addresses of the bridge are read", "[tbsctl][bridge]") {
  CHECK(to_string(*parse_address("2321")) == "127.0.0.1:2321");
  CHECK(to_string(*parse_address("tcp:localhost:0")) == "127.0.0.1:0");
  CHECK(to_string(*parse_address("[::1]:2321")) == "[::1]:2321");
  CHECK(to_string(*parse_address("./tpm")) == "./tpm");
  CHECK(to_string(*parse_address("unix:tpm")) == "tpm");
  for (const char* const wrong :
       {"", "tpm", "unix:", "70000", "1.2.3:1", "host:1", "127.0.0.1:", "127.0.0.1:-1"}) {
    CHECK_FALSE(parse_address(wrong).has_value());
  }
}

TEST_CASE("only this machine's addresses are local", "[tbsctl][bridge]") {
  for (const char* const local : {"1", "127.1.2.3:1", "[::1]:1", "/a"}) {
    CHECK(is_local(*parse_address(local)));
  }
  for (const char* const far : {"0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[::ffff:127.0.0.1]:1"}) {
    CHECK_FALSE(is_local(*parse_address(far)));
  }
}

TEST_CASE("the second channel is beside the first", "[tbsctl][bridge]") {
  CHECK(to_string(*beside(*parse_address("2321"), ".ctrl")) == "127.0.0.1:2322");
  CHECK(to_string(*beside(*parse_address("/a"), ".ctrl")) == "/a.ctrl");
  CHECK_FALSE(beside(*parse_address("65535"), ".ctrl"));
}

TEST_CASE("a TPM that is started already is started with success", "[tbsctl][bridge]") {
  CHECK(adapted(kStartup, tpm::kTagNoSessions, 0x100) == 0);
  CHECK(adapted(kGetRandom, tpm::kTagNoSessions, 0x100) == 0x100);
  CHECK(adapted(kStartup, tpm::kTagNoSessions, 0x101) == 0x101);
  CHECK(adapted(kStartup12, tpm::kTagRspCommand, 0x26) == 0);
}

TEST_CASE("response codes are those that a TPM has", "[tbsctl][bridge]") {
  CHECK(adapted(kGetRandom, tpm::kTagNoSessions, 0x000B018B) == 0x18B);
  CHECK(adapted(kGetRandom, tpm::kTagNoSessions, 0x80280400) == 0x143);
  CHECK(answered(kGetRandom, proto::Status::CommandCanceled) == 0x909);
  CHECK(answered(kGetRandom, proto::Status::BadParameter) == 0x142);
  CHECK(answered(kGetRandom, proto::Status::AccessDenied) == 0x907);
  CHECK(answered(kGetRandom, proto::Status::IoError) == 0x101);
  CHECK(answered(kStartup12, proto::Status::IoError) == 9);
  CHECK(answered({}, proto::Status::BadParameter) == 0x142);
}

namespace {

// A command with these handles, or parameters, after its header.
proto::Buffer command(std::uint32_t code, std::initializer_list<std::uint32_t> words) {
  proto::Buffer bytes;
  proto::ByteWriter writer(bytes);
  writer.be16(tpm::kTagNoSessions);
  writer.be32(static_cast<std::uint32_t>(10 + 4 * words.size()));
  writer.be32(code);
  for (const std::uint32_t word : words) writer.be32(word);
  return bytes;
}

}  // namespace

TEST_CASE("an object that is not loaded is reported as a TPM does", "[tbsctl][bridge]") {
  constexpr std::uint32_t kReadPublic = 0x173;
  constexpr std::uint32_t kCertify = 0x148;
  const auto told = [](const proto::Buffer& asked, std::uint32_t code) {
    return adapted(asked, tpm::kTagNoSessions, code);
  };
  for (const std::uint32_t slot : {0U, 1U, 2U}) {
    CHECK(told(command(kReadPublic, {0x80000000U + slot}), 0x000B018B) == 0x910);
  }
  CHECK(told(command(kCertify, {0x81000001, 0x80000001}), 0x000B028B) == 0x911);
  // A TPM has no such slot.
  CHECK(told(command(kReadPublic, {0x80000003}), 0x000B018B) == 0x184);
  CHECK(told(command(kCertify, {0x81000001, 0x80FFFFFF}), 0x000B028B) == 0x284);
  // Not an object, or the TPM's own answer.
  CHECK(told(command(kReadPublic, {0x81000001}), 0x000B018B) == 0x18B);
  CHECK(told(command(kReadPublic, {0x80000000}), 0x18B) == 0x18B);
  CHECK(told(command(kReadPublic, {}), 0x000B018B) == 0x18B);
  CHECK(told(command(kReadPublic, {0x80000000}), 0x000B0902) == 0x902);
}

TEST_CASE("so is one that cannot be flushed", "[tbsctl][bridge]") {
  const auto told = [](std::uint32_t handle) {
    return adapted(command(0x165, {handle}), tpm::kTagNoSessions, 0x000B01CB);
  };
  CHECK(told(0x80000000) == 0x1CB);
  CHECK(told(0x80000002) == 0x1CB);
  CHECK(told(0x80000003) == 0x1C4);
  CHECK(told(0x80FFFFFF) == 0x1C4);
  CHECK(told(0x02000000) == 0x1CB);
}

TEST_CASE("the handshake of the simulator announces what is served", "[tbsctl][bridge]") {
  const auto framing = mssim_command_framing();
  framing->feed(proto::Buffer{0, 0, 0, 15, 0, 0, 0, 1});
  const Wish wish = framing->next();
  REQUIRE(std::holds_alternative<Reply>(wish));
  CHECK(std::get<Reply>(wish).bytes == proto::Buffer{0, 0, 0, 1, 0, 0, 0, 0x0B, 0, 0, 0, 0});
}

TEST_CASE("a power cycle is one", "[tbsctl][bridge]") {
  const auto asks_for_power_off = [](Framing& framing, std::initializer_list<std::uint32_t> words) {
    proto::Buffer bytes;
    proto::ByteWriter writer(bytes);
    for (const std::uint32_t word : words) writer.be32(word);
    framing.feed(bytes);
    const Wish wish = framing.next();
    const auto* const off = std::get_if<PowerOff>(&wish);
    if (off != nullptr) CHECK(off->answer == proto::Buffer(4));
    return off != nullptr;
  };
  const auto platform = mssim_platform_framing();
  for (const std::uint32_t off : {2U, 17U, 18U}) CHECK(asks_for_power_off(*platform, {off}));
  for (const std::uint32_t other : {1U, 3U, 4U, 11U, 12U}) {
    CHECK_FALSE(asks_for_power_off(*platform, {other}));
  }
  const auto control = swtpm_control_framing();
  CHECK(asks_for_power_off(*control, {2, 0}));  // init
  CHECK(asks_for_power_off(*control, {3}));     // shutdown
  CHECK(asks_for_power_off(*control, {14}));    // stop
  CHECK_FALSE(asks_for_power_off(*control, {10}));
}

TEST_CASE("the other end of a connection is found in the kernel's table", "[tbsctl][bridge]") {
  const std::string_view table =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n"
      "   0: 0100007F:0911 0100007F:C001 01 00000000:00000000 00:00000000 00000000  1000 0 77 1\n"
      "   1: 0100007F:C001 0100007F:0911 05 00000000:00000000 00:00000000 00000000     0 0 0 1\n"
      "   2: 0100007F:C002 0100007F";
  CHECK(inode_in_table(table, "0100007F:0911", "0100007F:C001") == 77);
  CHECK(inode_in_table(table, "0100007F:C001", "0100007F:0911") == 0);
  CHECK_FALSE(inode_in_table(table, "0100007F:C002", "0100007F"));
  CHECK_FALSE(inode_in_table("", "", ""));
}
