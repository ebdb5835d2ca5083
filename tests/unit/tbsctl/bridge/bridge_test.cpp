// The parts of tbsctl bridge that decide without a socket. The frames themselves are compared with
// real clients in tests/integration, and cut to pieces in tests/fuzz.

#include "client/tbsctl/bridge/address.h"
#include "client/tbsctl/bridge/framing.h"
#include "client/tbsctl/bridge/inherited_sockets.h"
#include "client/tbsctl/bridge/peer.h"
#include "client/tbsctl/bridge/power_state.h"
#include "client/tbsctl/bridge/saved_sessions.h"
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
  const auto first = [](const proto::Buffer& command, std::uint16_t tag,
                        std::uint32_t code) -> std::optional<std::uint32_t> {
    const auto answer = answer_to_first_start(command, proto::tpm_error_response(tag, code));
    if (!answer) return std::nullopt;
    return proto::read_tpm_header(*answer)->code;
  };
  const proto::Buffer resume{0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 1};
  const proto::Buffer empty{0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x44};
  CHECK(first(kStartup, tpm::kTagNoSessions, rc::kInitialize) == rc::kSuccess);
  CHECK(first(resume, tpm::kTagNoSessions, rc::kInitialize) == tpm::at_parameter(rc::kValue, 1));
  CHECK(first(empty, tpm::kTagNoSessions, rc::kInitialize) ==
        tpm::at_parameter(rc::kInsufficient, 1));
  CHECK(first(kStartup12, tpm::kTagRspCommand, tpm12::rc::kInvalidPostInit) == tpm12::rc::kSuccess);
  CHECK_FALSE(first(kGetRandom, tpm::kTagNoSessions, rc::kInitialize));
  CHECK_FALSE(first(kStartup, tpm::kTagNoSessions, rc::kFailure));
  CHECK_FALSE(first(kStartup, tpm::kTagNoSessions, rc::kSuccess));
}

TEST_CASE("a program sees by its commands that its TPM is started", "[tbsctl][bridge]") {
  const auto shown = [](const proto::Buffer& command, std::uint16_t tag, std::uint32_t code) {
    return shows_started(command, proto::tpm_error_response(tag, code));
  };
  CHECK(shown(kStartup, tpm::kTagNoSessions, rc::kSuccess));
  CHECK(shown(kGetRandom, tpm::kTagNoSessions, rc::kSuccess));
  CHECK(shown(kGetRandom, tpm::kTagNoSessions, rc::kRetry));
  CHECK(shown(kStartup12, tpm::kTagRspCommand, tpm12::rc::kSuccess));
  CHECK_FALSE(shown(kGetRandom, tpm::kTagNoSessions, rc::kInitialize));
  CHECK_FALSE(shown(kStartup, tpm::kTagNoSessions, tpm::at_parameter(rc::kValue, 1)));
  CHECK_FALSE(shown(kStartup12, tpm::kTagRspCommand, tpm12::rc::kBadParameter));
  CHECK_FALSE(shown({0x80, 1}, tpm::kTagNoSessions, rc::kSuccess));
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
  // A handle before it is read first, and cannot be an object.
  CHECK(told(command(TPM2_CC_NV_Read, {tpm::kTransientFirst}), kUnknown) ==
        tpm::at_handle(rc::kValue, 1));
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
  CHECK(told(TPM2_HMAC_SESSION_FIRST + 63) == tpm::at_parameter(rc::kHandle, 1));
  CHECK(told(TPM2_POLICY_SESSION_FIRST + 64) == tpm::at_parameter(rc::kValue, 1));
}

TEST_CASE("a session that is not there is reported as a TPM does", "[tbsctl][bridge]") {
  const auto told = [](const proto::Buffer& asked, std::uint32_t code) {
    return adapted(asked, tpm::kTagNoSessions, tpm::by_resource_manager(code));
  };
  constexpr std::uint32_t kHmac = TPM2_HMAC_SESSION_FIRST;
  constexpr std::uint32_t kPolicy = TPM2_POLICY_SESSION_FIRST;
  constexpr std::uint32_t kWrong = tpm::at_handle(rc::kValue, 1);
  for (const auto& [code, handle, expected] :
       {std::tuple{TPM2_CC_PolicyGetDigest, kPolicy, rc::kReferenceH0},
        {TPM2_CC_PolicyGetDigest, kHmac, kWrong},
        {TPM2_CC_PolicyGetDigest, kPolicy + 64, kWrong},
        {TPM2_CC_PolicyRestart, kHmac, kWrong},
        {tpm::cc::kContextSave, kHmac, rc::kReferenceH0},
        {tpm::cc::kContextSave, kPolicy + 64, kWrong},
        {tpm::cc::kReadPublic, kHmac, kWrong},
        {0x20000000U, kHmac, rc::kReferenceH0}}) {  // a vendor's
    CHECK(told(command(code, {handle}), rc::kReferenceH0) == expected);
  }
  // In the authorization area: of the first session, and of one behind another.
  const auto random = [](std::initializer_list<std::uint32_t> sessions) {
    proto::Buffer bytes =
        command(tpm::cc::kGetRandom, {9 * static_cast<std::uint32_t>(sessions.size())});
    proto::ByteWriter writer(bytes);
    for (const std::uint32_t session : sessions) {
      writer.be32(session);
      for (int i = 0; i < 5; ++i) writer.u8(0);
    }
    bytes[5] = static_cast<std::uint8_t>(bytes.size());
    return bytes;
  };
  CHECK(told(random({kHmac}), rc::kReferenceS0) == rc::kReferenceS0);
  CHECK(told(random({kHmac + 64}), rc::kReferenceS0) == tpm::at_session(rc::kValue, 1));
  CHECK(told(random({kHmac, kHmac + 1}), rc::kReferenceS0 + 1) == rc::kReferenceS0 + 1);
  CHECK(told(random({kHmac, kHmac + 64}), rc::kReferenceS0 + 1) == tpm::at_session(rc::kValue, 2));
}

TEST_CASE("the handshake of the simulator announces what is served", "[tbsctl][bridge]") {
  const auto framing = mssim_command_framing();
  framing->feed(proto::Buffer{0, 0, 0, 15, 0, 0, 0, 1});
  const Wish wish = framing->next();
  REQUIRE(std::holds_alternative<Reply>(wish));
  CHECK(std::get<Reply>(wish).bytes == proto::Buffer{0, 0, 0, 1, 0, 0, 0, 0x0B, 0, 0, 0, 0});
}

namespace {

std::optional<std::uint32_t> answer_of(PowerState& power, const proto::Buffer& asked) {
  const auto response = power.answer(asked);
  return response ? std::optional(proto::read_tpm_header(*response)->code) : std::nullopt;
}

proto::Buffer startup(std::uint8_t type) {
  return {0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, type};
}

}  // namespace

TEST_CASE("after a power cycle a TPM waits for its start", "[tbsctl][bridge]") {
  PowerState power;
  CHECK_FALSE(answer_of(power, kGetRandom));
  CHECK_FALSE(answer_of(power, kStartup));
  power.cycle();
  CHECK(answer_of(power, kGetRandom) == rc::kInitialize);
  CHECK(answer_of(power, command(0x999, {})) == rc::kCommandCode);
  CHECK(answer_of(power, startup(2)) == tpm::at_parameter(rc::kValue, 1));
  CHECK(answer_of(power, startup(1)) == tpm::at_parameter(rc::kValue, 1));
  CHECK(answer_of(power, command(tpm::cc::kStartup, {0})) == rc::kSize);
  CHECK_FALSE(answer_of(power, {0x80, 1}));  // refused elsewhere
  CHECK(answer_of(power, kStartup) == rc::kSuccess);
  CHECK_FALSE(answer_of(power, kGetRandom));
}

TEST_CASE("a TPM resumes what was saved, once", "[tbsctl][bridge]") {
  const proto::Buffer success = proto::tpm_error_response(tpm::kTagNoSessions, 0);
  const proto::Buffer failure = proto::tpm_error_response(tpm::kTagNoSessions, rc::kFailure);
  const proto::Buffer to_resume{0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x45, 0, 1};
  const proto::Buffer to_reset{0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x45, 0, 0};
  CHECK(prepares_resume(to_resume, success) == true);
  CHECK(prepares_resume(to_reset, success) == false);
  CHECK_FALSE(prepares_resume(to_resume, failure));
  CHECK_FALSE(prepares_resume(kGetRandom, success));
  PowerState power;
  power.prepared(true);
  power.cycle();
  CHECK(answer_of(power, startup(1)) == rc::kSuccess);
  power.cycle();
  CHECK(answer_of(power, startup(1)) == tpm::at_parameter(rc::kValue, 1));
}

TEST_CASE("a TPM 1.2 waits for its start as well", "[tbsctl][bridge]") {
  const proto::Buffer random{0, 0xC1, 0, 0, 0, 14, 0, 0, 0, 0x46, 0, 0, 0, 8};
  const auto start = [](std::uint8_t tag, std::uint8_t type) {
    return proto::Buffer{0, tag, 0, 0, 0, 12, 0, 0, 0, 0x99, 0, type};
  };
  PowerState power;
  power.cycle();
  CHECK(answer_of(power, random) == tpm12::rc::kInvalidPostInit);
  CHECK(answer_of(power, start(0xC2, 1)) == tpm12::rc::kBadTag);
  CHECK(answer_of(power, start(0xC1, 7)) == tpm12::rc::kBadParameter);
  CHECK(answer_of(power, start(0xC1, 2)) == tpm12::rc::kFailedSelfTest);
  CHECK(answer_of(power, kStartup12) == tpm12::rc::kSuccess);
  CHECK_FALSE(answer_of(power, random));
}

TEST_CASE("sessions that a client has saved are known until they are not", "[tbsctl][bridge]") {
  const auto answer = [](std::uint32_t code, std::initializer_list<std::uint32_t> words) {
    proto::Buffer response = command(code, words);  // a response looks the same
    return response;
  };
  constexpr std::uint32_t kPolicy = TPM2_POLICY_SESSION_FIRST;
  SavedSessions saved;
  CHECK_FALSE(saved.take_flush());
  saved.note(command(tpm::cc::kContextSave, {tpm::kTransientFirst}), answer(0, {}));
  saved.note(command(tpm::cc::kContextSave, {kPolicy + 5}), answer(rc::kFailure, {}));
  CHECK_FALSE(saved.take_flush());
  for (const std::uint32_t number : {1U, 2U, 2U, 3U}) {
    saved.note(command(tpm::cc::kContextSave, {kPolicy + number}), answer(0, {}));
  }
  saved.note(command(tpm::cc::kContextLoad, {}), answer(0, {kPolicy + 1}));
  // As GetCapability lists it.
  saved.note(command(tpm::cc::kFlushContext, {TPM2_HMAC_SESSION_FIRST + 3}), answer(0, {}));
  CHECK(saved.take_flush() == command(tpm::cc::kFlushContext, {kPolicy + 2}));
  CHECK_FALSE(saved.take_flush());
}

TEST_CASE("descriptors of a service manager are counted strictly", "[tbsctl][bridge]") {
  CHECK(inherited_count(nullptr, nullptr, 7) == 0U);
  CHECK(inherited_count("7", nullptr, 7) == 0U);
  CHECK(inherited_count("8", "2", 7) == 0U);
  CHECK(inherited_count("7", "2", 7) == 2U);
  CHECK(inherited_count("7", "0", 7) == 0U);
  for (const char* const wrong : {"3", "-1", "", "1 ", "x", "18446744073709551616", "4294967297"}) {
    CHECK_FALSE(inherited_count("7", wrong, 7).has_value());
  }
  CHECK_FALSE(inherited_count("x", "1", 7).has_value());
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
  for (const std::uint32_t off : {2U, 17U}) CHECK(asks_for_power_off(*platform, {off}));
  for (const std::uint32_t other : {1U, 3U, 4U, 11U, 12U, 18U}) {
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
  const auto found = row_in_table(table, "0100007F:0911", "0100007F:C001");
  REQUIRE(found);
  CHECK(found->inode == 77);
  CHECK(found->user == 1000);
  CHECK(row_in_table(table, "0100007F:C001", "0100007F:0911")->inode == 0);
  CHECK_FALSE(row_in_table(table, "0100007F:C002", "0100007F"));
  CHECK_FALSE(row_in_table("", "", ""));
}
