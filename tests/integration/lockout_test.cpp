// Failed authorizations of one user neither lock the TPM nor anybody else.

#include <catch2/catch.hpp>

#include "tests/integration/support/other_user.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Status;

namespace {

constexpr std::uint32_t kIndex = 0x01500020;
constexpr std::uint32_t kRcAuthFail = 0x98E;  // TPM_RC_AUTH_FAIL, first session
constexpr std::uint32_t kRcLockout = 0x921;
constexpr std::uint32_t kLockoutCounter = 0x20E;  // TPM_PT_LOCKOUT_COUNTER

RawClient context_of(TestBench& bench, uid_t user) {
  const ConnectingAs other(user);
  return bench.context();
}

std::uint32_t code(RawClient& client, const Buffer& command) {
  const Answer answer = client.call(command);
  REQUIRE(answer.status == Status::Success);
  return tpm::code(answer.response).value();
}

std::uint32_t guess(RawClient& client) {
  return code(client, tpm::nv_read_as_index(kIndex, 8));
}

}  // namespace

TEST_CASE("a user who guesses is locked out before the TPM is") {
  if (!can_become_nobody()) return;
  TempFolder state;
  TestBench bench({.arguments = {"--lockout-per-user=2", "--state-dir=" + state.path()}});
  RawClient root = bench.context();
  RawClient victim = context_of(bench, 20001);
  RawClient attacker = context_of(bench, kNobody);
  REQUIRE(code(root, tpm::nv_define_with_password(kIndex, 8, "secret")) == tpm::kSuccess);
  CHECK(guess(attacker) == kRcAuthFail);
  CHECK(guess(attacker) == kRcAuthFail);
  for (int i = 0; i < 10; ++i) CHECK(guess(attacker) == kRcLockout);
  // The TPM has seen two, and everybody else goes on, with authorizations and without.
  CHECK(tpm::property(root.response(tpm::get_property(kLockoutCounter))) == 2);
  CHECK(code(victim, tpm::create_primary_ecc()) == tpm::kSuccess);
  CHECK(code(attacker, tpm::get_random(8)) == tpm::kSuccess);
  // Another connection of the attacker is no way around it.
  RawClient again = context_of(bench, kNobody);
  CHECK(code(again, tpm::create_primary_ecc()) == kRcLockout);

  // Nor is a restart of the daemon.
  CHECK(bench.stop_daemon() == 0);
  bench.restart_daemon();
  RawClient later = context_of(bench, kNobody);
  CHECK(code(later, tpm::create_primary_ecc()) == kRcLockout);

  // An administrator ends it, a user cannot.
  CHECK(later.ask<tbs::proto::LockoutResetReply>(tbs::proto::LockoutReset{}).status ==
        Status::AccessDenied);
  RawClient admin = bench.context();
  const auto status = admin.ask<tbs::proto::LockoutStatusReply>(tbs::proto::LockoutStatus{});
  REQUIRE(status.entries.size() == 1);
  CHECK(status.entries[0].uid == kNobody);
  CHECK(status.entries[0].locked == 1);
  CHECK(admin.ask<tbs::proto::LockoutResetReply>(tbs::proto::LockoutReset{.uid = kNobody}).status ==
        Status::Success);
  CHECK(code(later, tpm::create_primary_ecc()) == tpm::kSuccess);
}

TEST_CASE("administrators are not counted") {
  TestBench bench({.arguments = {"--lockout-per-user=1"}});
  RawClient root = bench.context();
  if (!can_become_nobody()) return;
  REQUIRE(code(root, tpm::nv_define_with_password(kIndex, 8, "secret")) == tpm::kSuccess);
  CHECK(guess(root) == kRcAuthFail);
  CHECK(guess(root) == kRcAuthFail);
}
