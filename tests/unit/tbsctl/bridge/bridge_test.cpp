// The parts of tbsctl bridge that decide without a socket. The frames themselves are compared with
// real clients in tests/integration, and cut to pieces in tests/fuzz.

#include "client/tbsctl/bridge/address.h"
#include "client/tbsctl/bridge/framing.h"
#include "client/tbsctl/bridge/peer.h"
#include "client/tbsctl/bridge/tpm_answer.h"
#include "proto/service_codes.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::ctl::bridge;

namespace {

namespace rc = tpm::rc;

// What the resource manager says of a first handle that the client has not got.
constexpr std::uint32_t kUnknown = tpm::by_resource_manager(tpm::at_handle(rc::kHandle, 1));
constexpr std::uint32_t kLastTransient = tpm::kTransientFirst | TPM2_HR_HANDLE_MASK;

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
  CHECK(adapted(kStartup, tpm::kTagNoSessions, rc::kInitialize) == rc::kSuccess);
  CHECK(adapted(kGetRandom, tpm::kTagNoSessions, rc::kInitialize) == rc::kInitialize);
  CHECK(adapted(kStartup, tpm::kTagNoSessions, rc::kFailure) == rc::kFailure);
  CHECK(adapted(kStartup12, tpm::kTagRspCommand, tpm12::rc::kInvalidPostInit) ==
        tpm12::rc::kSuccess);
}

TEST_CASE("response codes are those that a TPM has", "[tbsctl][bridge]") {
  CHECK(adapted(kGetRandom, tpm::kTagNoSessions, kUnknown) == tpm::at_handle(rc::kHandle, 1));
  CHECK(adapted(kGetRandom, tpm::kTagNoSessions, proto::service::kCommandBlocked) ==
        rc::kCommandCode);
  CHECK(answered(kGetRandom, proto::Status::CommandCanceled) == rc::kCanceled);
  CHECK(answered(kGetRandom, proto::Status::BadParameter) == rc::kCommandSize);
  CHECK(answered(kGetRandom, proto::Status::AccessDenied) == rc::kLocality);
  CHECK(answered(kGetRandom, proto::Status::IoError) == rc::kFailure);
  CHECK(answered(kStartup12, proto::Status::IoError) == tpm12::rc::kFail);
  CHECK(answered({}, proto::Status::BadParameter) == rc::kCommandSize);
}

namespace {

// A command with these handles, or parameters, after its header.
proto::Buffer command(std::uint32_t code, std::initializer_list<std::uint32_t> words) {
  proto::Buffer bytes;
  proto::ByteWriter writer(bytes);
  writer.be16(tpm::kTagNoSessions);
  writer.be32(static_cast<std::uint32_t>(tpm::kHeaderSize + 4 * words.size()));
  writer.be32(code);
  for (const std::uint32_t word : words) writer.be32(word);
  return bytes;
}

}  // namespace

TEST_CASE("an object that is not loaded is reported as a TPM does", "[tbsctl][bridge]") {
  const auto told = [](const proto::Buffer& asked, std::uint32_t code) {
    return adapted(asked, tpm::kTagNoSessions, code);
  };
  for (const std::uint32_t slot : {0U, 1U, 2U}) {
    CHECK(told(command(tpm::cc::kReadPublic, {tpm::kTransientFirst + slot}), kUnknown) ==
          rc::kReferenceH0);
  }
  CHECK(told(command(TPM2_CC_Certify, {tpm::kPersistentFirst + 1, tpm::kTransientFirst + 1}),
             tpm::by_resource_manager(tpm::at_handle(rc::kHandle, 2))) == TPM2_RC_REFERENCE_H1);
  // A TPM has no such slot.
  CHECK(told(command(tpm::cc::kReadPublic, {tpm::kTransientFirst + 3}), kUnknown) ==
        tpm::at_handle(rc::kValue, 1));
  CHECK(told(command(TPM2_CC_Certify, {tpm::kPersistentFirst + 1, kLastTransient}),
             tpm::by_resource_manager(tpm::at_handle(rc::kHandle, 2))) ==
        tpm::at_handle(rc::kValue, 2));
  // Not an object, or the TPM's own answer.
  CHECK(told(command(tpm::cc::kReadPublic, {tpm::kPersistentFirst + 1}), kUnknown) ==
        tpm::at_handle(rc::kHandle, 1));
  CHECK(told(command(tpm::cc::kReadPublic, {tpm::kTransientFirst}),
             tpm::at_handle(rc::kHandle, 1)) == tpm::at_handle(rc::kHandle, 1));
  CHECK(told(command(tpm::cc::kReadPublic, {}), kUnknown) == tpm::at_handle(rc::kHandle, 1));
  CHECK(told(command(tpm::cc::kReadPublic, {tpm::kTransientFirst}),
             tpm::by_resource_manager(rc::kObjectMemory)) == rc::kObjectMemory);
}

TEST_CASE("so is one that cannot be flushed", "[tbsctl][bridge]") {
  const auto told = [](std::uint32_t handle) {
    return adapted(command(tpm::cc::kFlushContext, {handle}), tpm::kTagNoSessions,
                   tpm::by_resource_manager(tpm::at_parameter(rc::kHandle, 1)));
  };
  CHECK(told(tpm::kTransientFirst) == tpm::at_parameter(rc::kHandle, 1));
  CHECK(told(tpm::kTransientFirst + 2) == tpm::at_parameter(rc::kHandle, 1));
  CHECK(told(tpm::kTransientFirst + 3) == tpm::at_parameter(rc::kValue, 1));
  CHECK(told(kLastTransient) == tpm::at_parameter(rc::kValue, 1));
  CHECK(told(TPM2_HMAC_SESSION_FIRST) == tpm::at_parameter(rc::kHandle, 1));
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
