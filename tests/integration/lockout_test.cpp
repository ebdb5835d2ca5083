// Failed authorizations of one user neither lock the TPM nor anybody else.

#include "proto/tpm/response_code.h"
#include "tests/integration/support/user_clients.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Status;

namespace {

constexpr std::uint32_t kIndex = 0x01500020;
constexpr std::uint32_t kRcAuthFail = tbs::tpm::at_session(TPM2_RC_AUTH_FAIL, 1);
constexpr std::uint32_t kRcLockout = TPM2_RC_LOCKOUT;
// The authorization was right.
constexpr std::uint32_t kRcUninitialized = TPM2_RC_NV_UNINITIALIZED;
constexpr std::uint32_t kLockoutCounter = TPM2_PT_LOCKOUT_COUNTER;

std::uint32_t guess(RawClient& client) {
  return code(client, tpm::nv_read_as_index(kIndex, 8));
}

std::uint32_t counter(RawClient& client) {
  return tpm::property(client.response(tpm::get_property(kLockoutCounter)));
}

// The TPM allows so many failures, and forgets one after so many seconds.
void allow(RawClient& root, std::uint32_t failures, std::uint32_t interval = 86400) {
  REQUIRE(code(root, tpm::dictionary_attack_parameters(failures, interval, 1000)) == tpm::kSuccess);
}

void widen(RawClient& root) {
  allow(root, 10);
}

}  // namespace

TEST_CASE("a user who guesses is locked out before the TPM is") {
  if (!can_become_nobody()) return;
  TempFolder state;
  TestBench bench({.arguments = {"--lockout-per-user=2", "--state-dir=" + state.path()}});
  RawClient root = bench.context();
  widen(root);
  RawClient victim = context_of(bench, 20001);
  RawClient attacker = context_of(bench, kNobody);
  REQUIRE(code(root, tpm::nv_define_with_password(kIndex, 8, "secret")) == tpm::kSuccess);
  CHECK(guess(attacker) == kRcAuthFail);
  CHECK(guess(attacker) == kRcAuthFail);
  for (int i = 0; i < 10; ++i) CHECK(guess(attacker) == kRcLockout);
  // The TPM has seen two, and everybody else goes on, with authorizations and without.
  CHECK(counter(root) == 2);
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
  CHECK(later.ask(tbs::proto::LockoutReset{}).status == Status::AccessDenied);
  RawClient admin = bench.context();
  const auto status = admin.ask(tbs::proto::LockoutStatus{});
  REQUIRE(status.entries.size() == 1);
  CHECK(status.entries[0].uid == kNobody);
  CHECK(status.entries[0].locked == 1);
  CHECK(admin.ask(tbs::proto::LockoutReset{.uid = kNobody}).status == Status::Success);
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

TEST_CASE("no configuration lets a user lock the TPM") {
  if (!can_become_nobody()) return;
  // The TPM allows three failures, the configuration any number, and forgets them at once.
  TestBench bench(
      {.arguments = {"--lockout-per-user=1000", "--lockout-total=1000", "--lockout-window=1"}});
  RawClient root = bench.context();
  allow(root, 3);
  REQUIRE(code(root, tpm::nv_define_with_password(kIndex, 8, "secret")) == tpm::kSuccess);
  RawClient attacker = context_of(bench, kNobody);
  CHECK(guess(attacker) == kRcAuthFail);
  for (int i = 0; i < 20; ++i) CHECK(guess(attacker) == kRcLockout);
  // One with the right value is served.
  RawClient victim = context_of(bench, 20001);
  CHECK(code(victim, tpm::nv_read_as_index(kIndex, 8, "secret")) == kRcUninitialized);
  // An honest user who mistypes once does not lock it.
  RawClient clumsy = context_of(bench, 20002);
  CHECK(guess(clumsy) == kRcAuthFail);
  CHECK(guess(clumsy) == kRcLockout);
  CHECK(counter(root) == 2);
  // The last failure is kept for administrators, who may use it.
  CHECK(code(victim, tpm::nv_read_as_index(kIndex, 8, "secret")) == kRcLockout);
  // What cannot fail in a way that the TPM counts goes on.
  CHECK(code(victim, tpm::create_primary_ecc()) == tpm::kSuccess);
  CHECK(code(root, tpm::nv_read_as_index(kIndex, 8, "secret")) == kRcUninitialized);
  const auto status = root.ask(tbs::proto::LockoutStatus{});
  CHECK(status.per_user == 1);
  CHECK(status.total == 2);
}

TEST_CASE("users who fail once each do not lock a TPM, however many they are") {
  if (!can_become_nobody()) return;
  TestBench bench;
  RawClient root = bench.context();
  const std::uint32_t failures = GENERATE(2U, 5U);
  allow(root, failures);
  REQUIRE(code(root, tpm::nv_define_with_password(kIndex, 8, "secret")) == tpm::kSuccess);
  std::uint32_t failed = 0;
  for (uid_t user = 20001; user < 20013; ++user) {
    RawClient clumsy = context_of(bench, user);
    const std::uint32_t answer = guess(clumsy);
    REQUIRE((answer == kRcAuthFail || answer == kRcLockout));
    if (answer == kRcAuthFail) ++failed;
  }
  CHECK(failed == failures - 1);
  CHECK(counter(root) == failures - 1);
  CHECK(code(root, tpm::nv_read_as_index(kIndex, 8, "secret")) == kRcUninitialized);
}

TEST_CASE("users are let in again when the TPM has forgotten") {
  if (!can_become_nobody()) return;
  TestBench bench({.arguments = {"--lockout-per-user=2"}});
  RawClient root = bench.context();
  allow(root, 10, 1);
  REQUIRE(code(root, tpm::nv_define_with_password(kIndex, 8, "secret")) == tpm::kSuccess);
  RawClient clumsy = context_of(bench, kNobody);
  while (guess(clumsy) != kRcLockout) {
  }
  CHECK(eventually([&] {
    return code(clumsy, tpm::nv_read_as_index(kIndex, 8, "secret")) == kRcUninitialized;
  }));
  // And when an administrator resets the TPM's counter.
  allow(root, 10);
  while (guess(clumsy) != kRcLockout) {
  }
  CHECK(code(root, tpm::dictionary_attack_lock_reset()) == tpm::kSuccess);
  CHECK(eventually([&] {
    return code(clumsy, tpm::nv_read_as_index(kIndex, 8, "secret")) == kRcUninitialized;
  }));
}

TEST_CASE("no user gets at the lockout authorization, whatever the rules allow") {
  if (!can_become_nobody()) return;
  const TempFolder rules;
  write_file(rules / "10.conf", "profile none\n");
  TestBench bench({.arguments = {"--policy-dir=" + rules.path()}});
  RawClient root = bench.context();
  RawClient user = context_of(bench, kNobody);
  const auto policy_secret = [](RawClient& client, const std::string& value) {
    const Answer session = client.call(tpm::start_auth_session(TPM2_SE_POLICY));
    const std::uint32_t handle = tpm::handle(session.response);
    return code(client, tpm::policy_secret(TPM2_RH_LOCKOUT, handle, value));
  };
  CHECK(policy_secret(user, "wrong") == kRcLockout);
  CHECK(code(user, tpm::start_auth_session(TPM2_SE_HMAC, TPM2_RH_LOCKOUT)) == kRcLockout);
  CHECK(policy_secret(root, "") == tpm::kSuccess);
  // What an administrator gets wrong shuts it off, and leaves users alone.
  CHECK(policy_secret(root, "wrong") == kRcAuthFail);
  CHECK(policy_secret(root, "") == kRcLockout);
  CHECK(counter(root) == 0);
  CHECK(root.ask(tbs::proto::LockoutStatus{}).entries.empty());
  CHECK(code(user, tpm::create_primary_ecc()) == tpm::kSuccess);
}

TEST_CASE("a new embedded TPM allows as many failures as a chip") {
  TestBench bench;
  if (device_under_test() != DeviceKind::Embedded) return;
  RawClient root = bench.context();
  CHECK(tpm::property(root.response(tpm::get_property(TPM2_PT_MAX_AUTH_FAIL))) == 31);
  CHECK(tpm::property(root.response(tpm::get_property(TPM2_PT_LOCKOUT_INTERVAL))) == 600);
  CHECK(tpm::property(root.response(tpm::get_property(TPM2_PT_LOCKOUT_RECOVERY))) == 3600);
  CHECK(counter(root) == 0);
  // Only a new one: an administrator's settings stay.
  allow(root, 7);
  CHECK(bench.stop_daemon() == 0);
  bench.restart_daemon();
  RawClient later = bench.context();
  CHECK(tpm::property(later.response(tpm::get_property(TPM2_PT_MAX_AUTH_FAIL))) == 7);
}

TEST_CASE("many guesses at once, cancelled or abandoned, are no way around the guard") {
  if (!can_become_nobody()) return;
  TestBench bench;
  RawClient root = bench.context();
  widen(root);
  REQUIRE(code(root, tpm::nv_define_with_password(kIndex, 8, "secret")) == tpm::kSuccess);
  std::vector<RawClient> attackers;
  for (int i = 0; i < 8; ++i) attackers.push_back(context_of(bench, kNobody));
  bench.occupy_tpm(root);
  const Buffer command = tpm::nv_read_as_index(kIndex, 8);
  // All are on the way before the first one fails.
  for (RawClient& attacker : attackers) {
    for (std::uint64_t id = 1; id <= 16; ++id) attacker.submit(id, command);
    REQUIRE(bench.wait_for_load(attacker, 16, 0));
  }
  bench.thaw_tpm();
  CHECK(root.receive_result().status == Status::Success);
  std::size_t failed = 0;
  for (RawClient& attacker : attackers) {
    for (int i = 0; i < 16; ++i) {
      const auto answer = tpm::code(attacker.receive_result().response);
      REQUIRE((answer == kRcAuthFail || answer == kRcLockout));
      if (answer == kRcAuthFail) ++failed;
    }
  }
  CHECK(failed == 4);
  CHECK(counter(root) == 4);
}

TEST_CASE("a guess whose client goes away counts") {
  if (!can_become_nobody()) return;
  TestBench bench({.arguments = {"--lockout-per-user=3"}});
  RawClient root = bench.context();
  widen(root);
  REQUIRE(code(root, tpm::nv_define_with_password(kIndex, 8, "secret")) == tpm::kSuccess);
  for (int i = 0; i < 20; ++i) {
    RawClient attacker = context_of(bench, kNobody);
    attacker.submit(1, tpm::nv_read_as_index(kIndex, 8));
    // Some go while the command waits, some while it runs.
    if (i % 2 == 0) attacker.send(2, tbs::proto::Cancel{});
  }
  RawClient later = context_of(bench, kNobody);
  for (int i = 0; i < 4; ++i) guess(later);
  CHECK(guess(later) == kRcLockout);
  CHECK(counter(root) <= 3);
}
