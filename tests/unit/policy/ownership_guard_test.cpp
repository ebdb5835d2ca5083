#include "daemon/policy/ownership_guard.h"

#include "tests/support/catch2.h"
#include "tests/support/client_command.h"

using namespace tbs;
using policy::Ownership;
using policy::OwnershipGuard;
using proto::Buffer;
using rules::Owner;

namespace {

constexpr UserId kAlice{1001};
constexpr UserId kRoot{0};
const Buffer kSuccess = {0x80, 0x01, 0, 0, 0, 10, 0, 0, 0, 0};
const Buffer kFailure = {0x80, 0x01, 0, 0, 0, 10, 0, 0, 1, 0x4C};
const Buffer kBlocked = {0x80, 0x01, 0, 0, 0, 10, 0x80, 0x28, 4, 0};

Buffer message(std::uint32_t code, const Buffer& body) {
  Buffer bytes;
  proto::ByteWriter writer(bytes);
  writer.be16(0x8001);
  writer.be32(static_cast<std::uint32_t>(10 + body.size()));
  writer.be32(code);
  writer.bytes(body);
  return bytes;
}

SharedCommand by(UserId user, Buffer bytes) {
  const auto roles = user == kRoot ? test::kAdministratorRoles : test::kUserRoles;
  return test::client_command({.user = user, .roles = roles, .bytes = std::move(bytes)});
}
SharedCommand define(UserId user, std::uint8_t last, std::uint8_t size) {
  return by(user, message(0x12A, {0x40, 0, 0,  1, 0, 0, 0, 14, 1, 0x50, 0,
                                  last, 0, 11, 0, 4, 0, 4, 0,  0, 0,    size}));
}
SharedCommand undefine(UserId user, std::uint8_t last) {
  return by(user, message(0x122, {0x40, 0, 0, 1, 1, 0x50, 0, last}));
}
SharedCommand persist(UserId user, std::uint8_t last) {
  return by(user, message(0x120, {0x40, 0, 0, 1, 0x80, 0, 0, 0, 0x81, 0, 0, last}));
}

class Bench : public OwnershipGuard::Judge {
 public:
  Bench() {
    const std::vector<std::uint32_t> attributes = {0x12A | 1U << 25, 0x122 | 2U << 25,
                                                   0x120 | 2U << 25, 0x137 | 2U << 25, 0x17B};
    table.load(attributes);
    guard.restore({}, [this](std::string text) { kept = std::move(text); });
    guard.set_judge(*this);
    guard.set_limits(
        {.nv_bytes_per_user = 100, .nv_indices_per_user = 2, .persistent_per_user = 1});
  }
  std::optional<Buffer> judge(const ClientCommand&) override { return verdict; }

  // What the client gets, when the TPM says `response` to what reaches it.
  Buffer run(const SharedCommand& command, const Buffer& response = kSuccess) {
    if (auto refusal = guard.refusal(*command)) return *refusal;
    if (guard.watches(*command)) guard.responded(*command, response);
    return response;
  }
  std::optional<Owner> owner(std::uint8_t last, UserId user) {
    return guard.ownership().owner_of(
        {.kind = policy::LastingChange::Kind::Removes, .handle = 0x01500000U + last},
        account_of(user));
  }

  tpm::CommandTable table;
  OwnershipGuard guard{table, [] { return std::uint64_t{1'700'000'000}; }};
  std::string kept;
  std::optional<Buffer> verdict;
};

std::uint32_t code_of(const Buffer& response) {
  return proto::read_tpm_header(response).value().code;
}
constexpr std::uint32_t kNoSpace = 0x000B014B;

}  // namespace

TEST_CASE("what the TPM has made is its account's, and kept", "[policy][ownership]") {
  Bench bench;
  bench.run(define(kAlice, 1, 8));
  CHECK(bench.owner(1, kAlice) == Owner::Self);
  CHECK(bench.kept == "nv 22020097 1001 8 1\n");
  bench.run(define(kAlice, 2, 8), kFailure);
  CHECK(bench.owner(2, kAlice) == Owner::Other);
  bench.run(undefine(kAlice, 1), kFailure);
  CHECK(bench.owner(1, kAlice) == Owner::Self);
  bench.run(undefine(kRoot, 1));
  CHECK(bench.owner(1, kAlice) == Owner::Other);
  CHECK(bench.kept.empty());
}

TEST_CASE("the rules are asked again when the TPM is free", "[policy][ownership]") {
  Bench bench;
  bench.run(define(kAlice, 1, 8));
  bench.verdict = kBlocked;
  CHECK(bench.run(undefine(kAlice, 1)) == kBlocked);
  CHECK(bench.owner(1, kAlice) == Owner::Self);
  // What changes nothing that lasts was judged when it came.
  CHECK(bench.run(test::client_command({})) == kSuccess);
}

TEST_CASE("an account can make so much and no more", "[policy][ownership]") {
  Bench bench;
  CHECK(code_of(bench.run(define(kAlice, 1, 101))) == kNoSpace);
  CHECK(bench.run(define(kAlice, 1, 60)) == kSuccess);
  CHECK(code_of(bench.run(define(kAlice, 2, 41))) == kNoSpace);
  CHECK(bench.run(define(kAlice, 2, 40)) == kSuccess);
  CHECK(code_of(bench.run(define(kAlice, 3, 0))) == kNoSpace);
  CHECK(bench.run(define(UserId{1002}, 3, 60)) == kSuccess);
  CHECK(bench.run(undefine(kAlice, 2)) == kSuccess);
  CHECK(bench.run(define(kAlice, 2, 1)) == kSuccess);
  CHECK(bench.run(persist(kAlice, 1)) == kSuccess);
  CHECK(code_of(bench.run(persist(kAlice, 2))) == kNoSpace);
  for (std::uint8_t i = 10; i < 20; ++i) {
    CHECK(bench.run(define(kRoot, i, 100)) == kSuccess);
    CHECK(bench.run(persist(kRoot, i)) == kSuccess);
  }
}

TEST_CASE("for a tenant another number can hold", "[policy][ownership]") {
  Bench bench;
  bench.guard.set_limits(
      {.nv_bytes_per_user = 100, .nv_indices_per_user = 2, .persistent_per_user = 1},
      {{account_of(kAlice),
        {.nv_bytes_per_user = 10, .nv_indices_per_user = 1, .persistent_per_user = 0}}});
  CHECK(code_of(bench.run(define(kAlice, 1, 11))) == kNoSpace);
  CHECK(bench.run(define(kAlice, 1, 5)) == kSuccess);
  CHECK(code_of(bench.run(define(kAlice, 2, 5))) == kNoSpace);
  CHECK(code_of(bench.run(persist(kAlice, 1))) == kNoSpace);
  CHECK(bench.run(define(UserId{1002}, 3, 60)) == kSuccess);
}

TEST_CASE("an answer that never came is looked for", "[policy][ownership]") {
  Bench bench;
  bench.guard.learn({});
  CHECK_FALSE(bench.guard.refusal(*define(kAlice, 1, 8)));
  bench.guard.learn({.nv_indices = {0x01500001}});
  CHECK(bench.owner(1, kAlice) == Owner::Self);
}
