#include "daemon/policy/command_filter.h"

#include "proto/limits.h"
#include "proto/rules/rules_parser.h"
#include "proto/service_codes.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"
#include "tests/support/command_attributes.h"
#include "tests/support/tpm_message.h"

using namespace tbs;
using namespace tbs::policy;
using proto::Buffer;
using test::message;
namespace ord = tpm12::ord;

namespace {

rules::Rules rules_of(const std::string& text) {
  const std::vector<rules::Source> sources = {{.name = "a.conf", .text = text}};
  return rules::parse_rules(sources).value();
}

// A handle, a password session without a password, parameters.
Buffer authorized(std::uint32_t handle, const Buffer& parameters) {
  Buffer body;
  proto::ByteWriter writer(body);
  writer.be32(handle);
  writer.be32(9);
  writer.be32(tpm::kPasswordSession);
  writer.be32(0x00000000);
  writer.u8(0);
  writer.bytes(parameters);
  return body;
}

class ScriptedGuard final : public CommandGuard {
 public:
  std::optional<Buffer> refusal(const ClientCommand&) override {
    ++asked;
    return answer;
  }
  [[nodiscard]] bool watches(const ClientCommand&) const override { return false; }
  void responded(const ClientCommand&, proto::Bytes) override {}

  std::optional<Buffer> answer;
  int asked = 0;
};

class Bench {
 public:
  Bench() {
    const std::vector<std::uint32_t> attributes = {
        tpm::cc::kGetRandom,
        tpm::cc::kClear | test::handles(1),
        tpm::cc::kNvDefineSpace | test::handles(1),
        tpm::cc::kEvictControl | test::handles(2),
        tpm::cc::kNvRead | test::handles(2),
        tpm::cc::kPcrExtend | test::handles(1),
        TPM2_CC_EventSequenceComplete | test::handles(2),
        TPM2_CC_PolicySecret | test::handles(2),
        TPM2_CC_StartAuthSession | test::handles(2),
        TPM2_CC_NV_UndefineSpace | test::handles(2),
        TPM2_CC_NV_Write | test::handles(2),
        TPM2_CC_Hash,
        TPM2_CC_NV_UndefineSpaceSpecial | test::handles(2)};
    table.load(attributes);
  }

  Decision ask(const Buffer& bytes, rules::RoleSet roles = test::kUserRoles,
               Family family = Family::Tpm20) {
    return filter.check(*test::client_command({.roles = roles, .family = family, .bytes = bytes}));
  }

  tpm::CommandTable table;
  ScriptedGuard guard;
  Ownership ownership;
  CommandFilter filter{table, guard, ownership};
};

std::uint32_t code_of(const Buffer& response) {
  return proto::read_tpm_header(response).value().code;
}

}  // namespace

TEST_CASE("a blocked command is answered as on Windows, or as by the TPM", "[policy][filter]") {
  Bench bench;
  const Buffer clear =
      message(tpm::kTagSessions, tpm::cc::kClear, authorized(tpm::kRhPlatform, {}));
  bench.filter.set_rules(rules_of(""));
  const auto windows = bench.ask(clear);
  REQUIRE(windows.effect == Effect::Blocked);
  REQUIRE(code_of(windows.response) == proto::service::kCommandBlocked);
  bench.filter.set_rules(rules_of("answer tpm"));
  REQUIRE(code_of(bench.ask(clear).response) == tpm::rc::kCommandCode);
  REQUIRE(bench.ask(clear, test::kAdministratorRoles).effect == Effect::Pass);
  bench.filter.set_rules(rules_of("dry-run yes"));
  const auto dry = bench.ask(clear);
  REQUIRE(dry.effect == Effect::WouldBlock);
  REQUIRE(dry.rule->origin == "profile linux");
}

TEST_CASE("indices and handles are found wherever they stand", "[policy][filter]") {
  Bench bench;
  bench.filter.set_rules(rules_of(
      "block user nv 0x01500000-0x015000ff\nblock user persistent 0x81000001\nblock user pcr 3\n"));
  const auto blocked = [&](const Buffer& bytes) {
    return bench.ask(bytes).effect == Effect::Blocked;
  };
  // NV_DefineSpace: a TPM2B of the authorization, then a TPM2B_NV_PUBLIC that begins with the
  // index.
  const Buffer define = {0, 2, 0xAA, 0xBB, 0, 14, 1, 0x50, 0, 0x10, 0, 11, 0, 0, 0, 0, 0, 0, 0, 8};
  REQUIRE(blocked(
      message(tpm::kTagSessions, tpm::cc::kNvDefineSpace, authorized(tpm::kRhOwner, define))));
  Buffer other = define;
  other[8] = 0x70;
  REQUIRE_FALSE(blocked(
      message(tpm::kTagSessions, tpm::cc::kNvDefineSpace, authorized(tpm::kRhOwner, other))));
  // EvictControl names the persistent handle as a parameter.
  const auto evict = [](std::uint8_t last) {
    Buffer body = {0x40, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0};
    for (const std::uint8_t byte : Buffer{0x81, 0, 0, last}) body.push_back(byte);
    return message(tpm::kTagSessions, tpm::cc::kEvictControl, body);
  };
  REQUIRE(blocked(evict(1)));
  REQUIRE_FALSE(blocked(evict(2)));
  REQUIRE(blocked(message(tpm::kTagSessions, tpm::cc::kPcrExtend, authorized(3, {0, 0, 0, 0}))));
  // Too short to hold an index: the TPM's own business.
  REQUIRE_FALSE(blocked(
      message(tpm::kTagSessions, tpm::cc::kNvDefineSpace, authorized(tpm::kRhOwner, {0, 9}))));
  REQUIRE_FALSE(blocked(message(tpm::kTagNoSessions, tpm::cc::kNvRead, {1})));
}

TEST_CASE("what the rules let through may still be held back by the guard", "[policy][filter]") {
  Bench bench;
  const Buffer read =
      message(tpm::kTagSessions, tpm::cc::kNvRead, authorized(tpm::kNvIndexFirst + 0x500000, {}));
  bench.filter.set_rules(rules_of("block user command Clear\n"));
  REQUIRE(bench.ask(read).effect == Effect::Pass);
  bench.guard.answer = message(tpm::kTagNoSessions, tpm::rc::kLockout, {});
  const auto held = bench.ask(read);
  REQUIRE(held.effect == Effect::LockedOut);
  REQUIRE(held.response == *bench.guard.answer);
  // What is blocked is not even asked about.
  bench.guard.asked = 0;
  REQUIRE(bench.ask(message(tpm::kTagSessions, tpm::cc::kClear, authorized(tpm::kRhPlatform, {})))
              .effect == Effect::Blocked);
  REQUIRE(bench.guard.asked == 0);
}

TEST_CASE("rules see priority and locality", "[policy][filter]") {
  Bench bench;
  bench.filter.set_rules(rules_of("block user priority 300-\nblock user locality 3\n"));
  const auto effect_of = [&](std::uint32_t priority, std::uint8_t locality) {
    return bench.filter.check(*test::client_command({.priority = priority, .locality = locality}))
        .effect;
  };
  CHECK(effect_of(200, 0) == Effect::Pass);
  CHECK(effect_of(300, 0) == Effect::Blocked);
  CHECK(effect_of(200, 3) == Effect::Blocked);
}

TEST_CASE("a TPM 1.2 command inside another is judged too", "[policy][filter]") {
  Bench bench;
  bench.filter.set_rules(
      rules_of("profile none\nblock user command 0x5d\nblock user nv 0x1100\nblock user pcr 17\n"));
  const auto wrapped = [&](const Buffer& inner) {
    Buffer body;
    proto::ByteWriter writer(body);
    writer.be32(static_cast<std::uint32_t>(inner.size()));
    writer.bytes(inner);
    writer.bytes(Buffer(tpm12::kCommandAuthSize));  // the transport session
    return bench.ask(message(tpm12::kTagAuth1Command, ord::kExecuteTransport, body),
                     test::kUserRoles, Family::Tpm12);
  };
  const auto inside = wrapped(message(tpm12::kTagCommand, ord::kForceClear, {}));
  CHECK(inside.effect == Effect::Blocked);
  CHECK(inside.command == ord::kForceClear);
  CHECK(code_of(inside.response) == proto::service::kEmbeddedCommandBlocked);
  CHECK(wrapped(message(tpm12::kTagCommand, ord::kGetRandom, {0, 0, 0, 8})).effect == Effect::Pass);
  const auto plain =
      bench.ask(message(tpm12::kTagCommand, ord::kForceClear, {}), test::kUserRoles, Family::Tpm12);
  CHECK(code_of(plain.response) == proto::service::kCommandBlocked);
  // NV_ReadValue names its index first; PCR_Reset selects by bits.
  CHECK(wrapped(message(tpm12::kTagCommand, ord::kNvReadValue, {0, 0, 0x11, 0})).effect ==
        Effect::Blocked);
  // The parameters inside may be encrypted: any index or PCR could be meant.
  CHECK(wrapped(message(tpm12::kTagCommand, ord::kNvReadValue, {0, 0, 0x11, 1})).effect ==
        Effect::Blocked);
  CHECK(wrapped(message(tpm12::kTagCommand, ord::kPcrReset, {0, 3, 0, 0, 2})).effect ==
        Effect::Blocked);
  CHECK(wrapped(message(tpm12::kTagCommand, ord::kPcrReset, {0, 3, 0, 0, 1})).effect ==
        Effect::Blocked);
  CHECK(bench
            .ask(message(tpm12::kTagCommand, ord::kPcrReset, {0, 3, 0, 0, 1}), test::kUserRoles,
                 Family::Tpm12)
            .effect == Effect::Pass);
  // Cut short, it is for the resource manager to refuse.
  CHECK(wrapped({0, 0xC1, 0}).effect == Effect::Pass);
  CHECK(bench
            .ask(message(tpm12::kTagCommand, ord::kExecuteTransport, {}), test::kUserRoles,
                 Family::Tpm12)
            .effect == Effect::Pass);
}

TEST_CASE("the lockout and the platform hierarchy are seen wherever they stand",
          "[policy][filter]") {
  Bench bench;
  bench.filter.set_rules(rules_of(""));
  const auto blocked = [&](const Buffer& bytes) {
    return bench.ask(bytes).effect == Effect::Blocked;
  };
  // PolicySecret: entity and policy session.
  const auto secret = [](std::uint8_t last) {
    return message(tpm::kTagSessions, TPM2_CC_PolicySecret,
                   {0x40, 0, 0, last, 3, 0, 0, 0, 0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0});
  };
  CHECK(blocked(secret(0x0A)));
  CHECK(blocked(secret(0x0C)));
  CHECK_FALSE(blocked(secret(0x0B)));
  // StartAuthSession: the key for the salt, and what the session is bound to.
  CHECK(blocked(
      message(tpm::kTagNoSessions, TPM2_CC_StartAuthSession, {0x40, 0, 0, 7, 0x40, 0, 0, 0x0A})));
  CHECK_FALSE(blocked(
      message(tpm::kTagNoSessions, TPM2_CC_StartAuthSession, {0x40, 0, 0, 7, 0x40, 0, 0, 7})));
  // Hash proves with the last parameter in whose name it was made.
  CHECK(
      blocked(message(tpm::kTagNoSessions, TPM2_CC_Hash, {0, 1, 0x61, 0, 0x0B, 0x40, 0, 0, 0x0C})));
  CHECK_FALSE(
      blocked(message(tpm::kTagNoSessions, TPM2_CC_Hash, {0, 1, 0x61, 0, 0x0B, 0x40, 0, 0, 0x01})));
  // As an authorization it makes no sense, and is blocked all the same.
  CHECK(blocked(
      message(tpm::kTagSessions, tpm::cc::kNvRead,
              {1, 0x50, 0, 0, 1, 0x50, 0, 0, 0, 0, 0, 9, 0x40, 0, 0, 0x0A, 0, 0, 0, 0, 0})));
  // EventSequenceComplete: the PCR comes first.
  const auto event = [](std::uint8_t pcr) {
    return message(tpm::kTagNoSessions, TPM2_CC_EventSequenceComplete,
                   {0, 0, 0, pcr, 0x80, 0, 0, 0});
  };
  CHECK(blocked(event(12)));
  CHECK_FALSE(blocked(event(23)));
}

TEST_CASE("what somebody else made is seen by who made it", "[policy][filter]") {
  Bench bench;
  bench.filter.set_rules(rules_of(""));
  bench.ownership.apply({.handle = 0x01500001, .bytes = 8}, account_of(UserId{1000}));
  bench.ownership.apply({.handle = 0x01500002, .bytes = 8}, account_of(UserId{1001}));
  const auto undefine = [&](std::uint8_t last) {
    return bench
        .ask(message(tpm::kTagNoSessions, TPM2_CC_NV_UndefineSpace,
                     {0x40, 0, 0, 1, 1, 0x50, 0, last}))
        .effect;
  };
  CHECK(undefine(1) == Effect::Pass);
  CHECK(undefine(2) == Effect::Blocked);
  CHECK(undefine(3) == Effect::Blocked);
  bench.filter.set_rules(rules_of("allow user owner other nv 0x01500002\n"));
  CHECK(undefine(2) == Effect::Pass);
}

TEST_CASE("what can be ignored is answered, what cannot is blocked", "[policy][filter]") {
  Bench bench;
  bench.filter.set_rules(rules_of(""));
  const Buffer start = message(tpm::kTagNoSessions, tpm::cc::kStartup, {0, 0});
  const auto ignored = bench.ask(start);
  CHECK(ignored.effect == Effect::Ignored);
  CHECK(code_of(ignored.response) == tpm::rc::kInitialize);
  CHECK(bench.guard.asked == 0);
  CHECK(bench.ask(start, test::kAdministratorRoles).effect == Effect::Pass);
  // With a session, whose HMAC nobody but the TPM can make.
  Buffer session(13);
  session[3] = 9;
  CHECK(bench.ask(message(tpm::kTagSessions, tpm::cc::kShutdown, session)).effect ==
        Effect::Blocked);
  // To try rules out does not hand the TPM to users.
  bench.filter.set_rules(rules_of("dry-run yes"));
  CHECK(bench.ask(start).effect == Effect::Ignored);
  // The administrator's rules come first.
  bench.filter.set_rules(rules_of("block user command Startup\nallow user command Shutdown"));
  CHECK(bench.ask(start).effect == Effect::Blocked);
  CHECK(bench.ask(message(tpm::kTagNoSessions, tpm::cc::kShutdown, {0, 0})).effect == Effect::Pass);
}

TEST_CASE("a TPM 1.2 is started and saved by nobody but administrators", "[policy][filter]") {
  Bench bench;
  bench.filter.set_rules(rules_of(""));
  const auto ask = [&](const Buffer& bytes) {
    return bench.ask(bytes, test::kUserRoles, Family::Tpm12);
  };
  const Buffer save = message(tpm12::kTagCommand, ord::kSaveState, {});
  CHECK(ask(save).effect == Effect::Ignored);
  CHECK(code_of(ask(save).response) == tpm12::rc::kSuccess);
  CHECK(code_of(ask(message(tpm12::kTagCommand, ord::kStartup, {0, 1})).response) ==
        tpm12::rc::kInvalidPostInit);
  CHECK(ask(message(tpm12::kTagCommand, ord::kInit, {})).effect == Effect::Blocked);
  // Inside a transport session the answer is the TPM's to make.
  Buffer wrapped = {0, 0, 0, 10};
  wrapped.insert(wrapped.end(), save.begin(), save.end());
  wrapped.resize(wrapped.size() + tpm12::kCommandAuthSize);
  const auto inside = ask(message(tpm12::kTagAuth1Command, ord::kExecuteTransport, wrapped));
  CHECK(inside.effect == Effect::Blocked);
  CHECK(code_of(inside.response) == proto::service::kEmbeddedCommandBlocked);
}
