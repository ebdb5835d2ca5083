// The parts of tbsctl bridge that decide without a socket. The frames themselves are compared with
// real clients in tests/integration, and cut to pieces in tests/fuzz.

#include <catch2/catch.hpp>

#include "client/tbsctl/bridge/address.h"
#include "client/tbsctl/bridge/framing.h"
#include "client/tbsctl/bridge/peer.h"
#include "client/tbsctl/bridge/tpm_answer.h"
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
  CHECK(adapted(kStartup, proto::kTagNoSessions, 0x100) == 0);
  CHECK(adapted(kGetRandom, proto::kTagNoSessions, 0x100) == 0x100);
  CHECK(adapted(kStartup, proto::kTagNoSessions, 0x101) == 0x101);
  CHECK(adapted(kStartup12, proto::kTagRspCommand, 0x26) == 0);
}

TEST_CASE("response codes are those that a TPM has", "[tbsctl][bridge]") {
  CHECK(adapted(kGetRandom, proto::kTagNoSessions, 0x000B018B) == 0x18B);
  CHECK(adapted(kGetRandom, proto::kTagNoSessions, 0x80280400) == 0x143);
  CHECK(answered(kGetRandom, proto::Status::CommandCanceled) == 0x909);
  CHECK(answered(kGetRandom, proto::Status::BadParameter) == 0x142);
  CHECK(answered(kGetRandom, proto::Status::AccessDenied) == 0x907);
  CHECK(answered(kGetRandom, proto::Status::IoError) == 0x101);
  CHECK(answered(kStartup12, proto::Status::IoError) == 9);
  CHECK(answered({}, proto::Status::BadParameter) == 0x142);
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
