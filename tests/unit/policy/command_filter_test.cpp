#include "daemon/policy/command_filter.h"

#include <catch2/catch.hpp>

#include "daemon/policy/rules_parser.h"
#include "proto/tpm_header.h"

using namespace tbs;
using namespace tbs::policy;
using proto::Buffer;

namespace {

constexpr std::uint64_t kNow = 1'700'000'000;
constexpr UserId kAlice{1001};

Rules rules_of(const std::string& text) {
  const std::vector<Source> sources = {{.name = "a.conf", .text = text}};
  return parse_rules(sources).value();
}

Buffer command(std::uint16_t tag, std::uint32_t code, const Buffer& body) {
  Buffer bytes;
  proto::ByteWriter writer(bytes);
  writer.be16(tag);
  writer.be32(static_cast<std::uint32_t>(10 + body.size()));
  writer.be32(code);
  writer.bytes(body);
  return bytes;
}

// A handle, a password session without a password, parameters.
Buffer authorized(std::uint32_t handle, const Buffer& parameters) {
  Buffer body;
  proto::ByteWriter writer(body);
  writer.be32(handle);
  writer.be32(9);
  writer.be32(0x40000009);
  writer.be32(0x00000000);
  writer.u8(0);
  writer.bytes(parameters);
  return body;
}

class Bench {
 public:
  Bench() {
    // TPMA_CC: code, and the number of handles in bits 25 to 27.
    const std::vector<std::uint32_t> attributes = {
        0x17B,           0x126 | 1U << 25, 0x12A | 1U << 25, 0x120 | 2U << 25, 0x14E | 2U << 25,
        0x182 | 1U << 25};
    table.load(attributes);
  }

  Decision ask(const Buffer& bytes, RoleSet roles = role_bit(kEverybody) | role_bit(kUser),
               std::uint32_t family = 2) {
    return gate.check({.user = kAlice, .roles = roles, .priority = 200, .bytes = bytes}, family,
                      kNow);
  }

  tpm::CommandTable table;
  CommandFilter gate{table};
};

std::uint32_t code_of(const Buffer& response) {
  return proto::read_tpm_header(response).value().code;
}

}  // namespace

TEST_CASE("a blocked command is answered as on Windows, or as by the TPM", "[policy][gate]") {
  Bench bench;
  const Buffer clear = command(0x8002, 0x126, authorized(0x4000000C, {}));
  bench.gate.set_rules(rules_of(""));
  const auto windows = bench.ask(clear);
  REQUIRE(windows.outcome == Outcome::Blocked);
  REQUIRE(code_of(windows.response) == 0x80280400);
  bench.gate.set_rules(rules_of("answer tpm"));
  REQUIRE(code_of(bench.ask(clear).response) == 0x143);
  REQUIRE(bench.ask(clear, role_bit(kAdministrator)).outcome == Outcome::Pass);
  bench.gate.set_rules(rules_of("dry-run yes"));
  const auto dry = bench.ask(clear);
  REQUIRE(dry.outcome == Outcome::WouldBlock);
  REQUIRE(dry.rule->origin == "profile linux");
}

TEST_CASE("indices and handles are found wherever they stand", "[policy][gate]") {
  Bench bench;
  bench.gate.set_rules(rules_of(
      "block user nv 0x01500000-0x015000ff\nblock user persistent 0x81000001\nblock user pcr 3\n"));
  const auto blocked = [&](const Buffer& bytes) {
    return bench.ask(bytes).outcome == Outcome::Blocked;
  };
  // NV_DefineSpace: a TPM2B of the authorization, then a TPM2B_NV_PUBLIC that begins with the
  // index.
  const Buffer define = {0, 2, 0xAA, 0xBB, 0, 14, 1, 0x50, 0, 0x10, 0, 11, 0, 0, 0, 0, 0, 0, 0, 8};
  REQUIRE(blocked(command(0x8002, 0x12A, authorized(0x40000001, define))));
  Buffer other = define;
  other[8] = 0x70;
  REQUIRE_FALSE(blocked(command(0x8002, 0x12A, authorized(0x40000001, other))));
  // EvictControl names the persistent handle as a parameter.
  const auto evict = [](std::uint8_t last) {
    Buffer body = {0x40, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0};
    for (const std::uint8_t byte : Buffer{0x81, 0, 0, last}) body.push_back(byte);
    return command(0x8002, 0x120, body);
  };
  REQUIRE(blocked(evict(1)));
  REQUIRE_FALSE(blocked(evict(2)));
  REQUIRE(blocked(command(0x8002, 0x182, authorized(3, {0, 0, 0, 0}))));
  // Too short to hold an index: the TPM's own business.
  REQUIRE_FALSE(blocked(command(0x8002, 0x12A, authorized(0x40000001, {0, 9}))));
  REQUIRE_FALSE(blocked(command(0x8001, 0x14E, {1})));
}

TEST_CASE("who is locked out gets no command with an authorization through", "[policy][gate]") {
  Bench bench;
  constexpr std::uint32_t kFailure = 0x98E;
  const RoleSet user = role_bit(kUser);
  REQUIRE_FALSE(bench.gate.answered(kAlice, role_bit(kAdministrator), 2, kFailure, kNow));
  REQUIRE_FALSE(bench.gate.answered(kAlice, user, 2, 0, kNow));
  const Buffer read = command(0x8002, 0x14E, authorized(0x01500000, {}));
  for (int i = 0; i < 4; ++i) {
    REQUIRE(bench.ask(read).outcome == Outcome::Pass);
    REQUIRE(bench.gate.answered(kAlice, user, 2, kFailure, kNow));
  }
  const auto locked = bench.ask(read);
  REQUIRE(locked.outcome == Outcome::LockedOut);
  REQUIRE(code_of(locked.response) == 0x921);
  REQUIRE(bench.ask(command(0x8001, 0x17B, {0, 8})).outcome == Outcome::Pass);
  REQUIRE(bench.ask(read, role_bit(kAdministrator)).outcome == Outcome::Pass);
  // A TPM 1.2 command with one authorization.
  const auto old = bench.ask(command(0x00C2, 0x14, {}), user, 1);
  REQUIRE(code_of(old.response) == 0x803);
}

TEST_CASE("a TPM 1.2 command inside another is judged too", "[policy][gate]") {
  constexpr RoleSet kUserRoles = role_bit(kEverybody) | role_bit(kUser);
  Bench bench;
  bench.gate.set_rules(
      rules_of("profile none\nblock user command 0x5d\nblock user nv 0x1100\nblock user pcr 17\n"));
  const auto wrapped = [&](const Buffer& inner) {
    Buffer body;
    proto::ByteWriter writer(body);
    writer.be32(static_cast<std::uint32_t>(inner.size()));
    writer.bytes(inner);
    writer.bytes(Buffer(45));  // the transport session
    return bench.ask(command(0x00C2, 0xE7, body), kUserRoles, 1);
  };
  const auto inside = wrapped(command(0x00C1, 0x5D, {}));
  CHECK(inside.outcome == Outcome::Blocked);
  CHECK(inside.command == 0x5D);
  CHECK(code_of(inside.response) == 0x80280403);
  CHECK(wrapped(command(0x00C1, 0x46, {0, 0, 0, 8})).outcome == Outcome::Pass);
  const auto plain = bench.ask(command(0x00C1, 0x5D, {}), kUserRoles, 1);
  CHECK(code_of(plain.response) == 0x80280400);
  // NV_ReadValue names its index first; PCR_Reset selects by bits.
  CHECK(wrapped(command(0x00C1, 0xCF, {0, 0, 0x11, 0})).outcome == Outcome::Blocked);
  CHECK(wrapped(command(0x00C1, 0xCF, {0, 0, 0x11, 1})).outcome == Outcome::Pass);
  CHECK(wrapped(command(0x00C1, 0xC8, {0, 3, 0, 0, 2})).outcome == Outcome::Blocked);
  CHECK(wrapped(command(0x00C1, 0xC8, {0, 3, 0, 0, 1})).outcome == Outcome::Pass);
  // Cut short, it is for the resource manager to refuse.
  CHECK(wrapped({0, 0xC1, 0}).outcome == Outcome::Pass);
  CHECK(bench.ask(command(0x00C1, 0xE7, {}), kUserRoles, 1).outcome == Outcome::Pass);
}

TEST_CASE("what the command inside a TPM 1.2 command was answered counts", "[policy][gate]") {
  const auto response = [](std::uint32_t outer, std::uint32_t inner) {
    Buffer body(12);  // currentTicks, locality
    proto::ByteWriter writer(body);
    writer.be32(10);
    writer.bytes(command(0x00C4, inner, {}));
    writer.bytes(Buffer(41));
    return command(0x00C5, outer, body);
  };
  CHECK(embedded_result(response(0, 1)) == 1);
  CHECK(embedded_result(response(0, 0)) == 0);
  CHECK(embedded_result(command(0x00C4, 0x1D, {})) == 0x1D);
  CHECK(embedded_result({}) != 0);
}
