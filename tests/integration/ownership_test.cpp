// What one user made, another cannot remove or change; the PCRs that measure the machine and the
// hierarchies of the platform are the administrators'; what users do every day works; and nobody
// takes the room of all.

#include <algorithm>
#include <filesystem>

#include "proto/service_codes.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/structures.h"
#include "tests/integration/support/user_clients.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Bytes;
using tbs::proto::Status;
using tbs::tpm::CommandBuilder;

namespace {

constexpr std::uint32_t kBlocked = tbs::proto::service::kCommandBlocked;
constexpr std::uint32_t kNoSpace = tbs::tpm::by_resource_manager(TPM2_RC_NV_SPACE);
constexpr std::uint32_t kIndex = 0x01500016;
constexpr std::uint32_t kUsersIndex = 0x01600000;
constexpr std::uint32_t kKey = 0x81000777;
constexpr uid_t kAlice = 20001;
constexpr uid_t kBob = 20002;
const Buffer kDigest(32, 0x11);

CommandBuilder with_password(std::uint32_t command, std::initializer_list<std::uint32_t> handles) {
  CommandBuilder builder(command);
  for (const std::uint32_t handle : handles) builder.handle(handle);
  builder.authorization(tbs::tpm::password_authorization({}));
  return builder;
}

Buffer nv_undefine(std::uint32_t index) {
  return with_password(TPM2_CC_NV_UndefineSpace, {TPM2_RH_OWNER, index}).finish();
}
Buffer nv_write_as_index(std::uint32_t index) {
  return with_password(TPM2_CC_NV_Write, {index, index}).sized(Buffer(8, 2)).u16(0).finish();
}
Buffer nv_lock(std::uint32_t command, std::uint32_t authority, std::uint32_t index) {
  return with_password(command, {authority, index}).finish();
}
Buffer pcr_event(std::uint32_t pcr) {
  return with_password(TPM2_CC_PCR_Event, {pcr}).sized(Buffer(4, 1)).finish();
}
Buffer pcr_set_auth(std::uint32_t pcr) {
  return with_password(TPM2_CC_PCR_SetAuthValue, {pcr}).sized(Buffer{'x'}).finish();
}
Buffer start_session(std::uint32_t bind, std::uint8_t type) {
  return CommandBuilder(TPM2_CC_StartAuthSession)
      .handle(TPM2_RH_NULL)
      .handle(bind)
      .sized(Buffer(16, 0))
      .sized({})
      .bytes(Buffer{type})
      .u16(TPM2_ALG_NULL)
      .u16(TPM2_ALG_SHA256)
      .finish();
}
Buffer policy_secret(std::uint32_t entity, std::uint32_t session) {
  return with_password(TPM2_CC_PolicySecret, {entity, session})
      .sized({})
      .sized({})
      .sized({})
      .u32(0)
      .finish();
}

std::uint32_t primary_of(RawClient& client) {
  const Answer answer = client.call(tpm::create_primary_ecc());
  REQUIRE(tpm::code(answer.response) == tpm::kSuccess);
  return tpm::handle(answer.response);
}

// What the victim has: an index with data in it, and a persistent key.
void make_victims(RawClient& victim) {
  REQUIRE(code(victim, tpm::nv_define(kIndex, 8)) == tpm::kSuccess);
  REQUIRE(code(victim, tpm::nv_write(kIndex, Buffer(8, 1))) == tpm::kSuccess);
  REQUIRE(code(victim, tpm::evict_control(primary_of(victim), kKey)) == tpm::kSuccess);
}

void check_untouched(RawClient& victim) {
  const Answer read = victim.call(tpm::nv_read(kIndex, 8));
  REQUIRE(tpm::code(read.response) == tpm::kSuccess);
  CHECK(tpm::nv_data(read.response) == Buffer(8, 1));
  CHECK(code(victim, tpm::read_public(kKey)) == tpm::kSuccess);
}

void attack(RawClient& attacker) {
  CHECK(code(attacker, nv_undefine(kIndex)) == kBlocked);
  CHECK(code(attacker, tpm::evict_control(kKey, kKey)) == kBlocked);
  CHECK(code(attacker, tpm::evict_control(kKey, kKey + 1)) == kBlocked);
  CHECK(code(attacker, tpm::nv_write(kIndex, Buffer(8, 2))) == kBlocked);
  CHECK(code(attacker, nv_write_as_index(kIndex)) == kBlocked);
  for (const std::uint32_t lock : {TPM2_CC_NV_WriteLock, TPM2_CC_NV_ReadLock}) {
    CHECK(code(attacker, nv_lock(lock, TPM2_RH_OWNER, kIndex)) == kBlocked);
    CHECK(code(attacker, nv_lock(lock, kIndex, kIndex)) == kBlocked);
  }
  // Nothing is there, so nobody knows whose it is.
  CHECK(code(attacker, nv_undefine(kIndex + 1)) == kBlocked);
}

}  // namespace

TEST_CASE("what somebody else made stays") {
  if (!can_become_nobody()) return;
  TestBench bench;
  const uid_t victims = GENERATE(uid_t{0}, kBob);
  RawClient victim = context_of(bench, victims);
  RawClient attacker = context_of(bench, kAlice);
  make_victims(victim);
  attack(attacker);
  check_untouched(victim);
  // Whoever knows the index's own value was told it by its maker.
  CHECK(code(victim, tpm::nv_define_with_password(kIndex + 1, 8, "secret")) == tpm::kSuccess);
  CHECK(code(attacker, nv_write_as_index(kIndex + 1)) != kBlocked);
  CHECK(bench.daemon().log().find("was blocked by a rule (profile linux)") != std::string::npos);
  RawClient root = bench.context();
  CHECK(code(root, nv_undefine(kIndex)) == tpm::kSuccess);
  CHECK(code(root, tpm::evict_control(kKey, kKey)) == tpm::kSuccess);
}

TEST_CASE("who made what is remembered, and forgotten with the TPM") {
  if (!can_become_nobody()) return;
  TempFolder state;
  TestBench bench({.arguments = {"--state-dir=" + state.path()}});
  {
    RawClient owner = context_of(bench, kBob);
    make_victims(owner);
    CHECK(code(owner, tpm::nv_define(kUsersIndex, 8)) == tpm::kSuccess);
    CHECK(code(owner, nv_undefine(kUsersIndex)) == tpm::kSuccess);
  }
  // It is written beside the loop.
  CHECK(eventually([&] { return read_file(state / "ownership").contains("persistent"); }));
  bench.restart_daemon();
  {
    RawClient owner = context_of(bench, kBob);
    RawClient attacker = context_of(bench, kAlice);
    attack(attacker);
    check_untouched(owner);
    CHECK(code(owner, nv_undefine(kIndex)) == tpm::kSuccess);
    CHECK(code(owner, tpm::evict_control(kKey, kKey)) == tpm::kSuccess);
    RawClient root = bench.context();
    CHECK(code(owner, tpm::nv_define(kUsersIndex, 8)) == tpm::kSuccess);
    CHECK(code(root, tpm::clear()) == tpm::kSuccess);
    // Somebody else has it now.
    CHECK(code(attacker, tpm::nv_define(kUsersIndex, 8)) == tpm::kSuccess);
    CHECK(code(owner, nv_undefine(kUsersIndex)) == kBlocked);
    CHECK(code(attacker, nv_undefine(kUsersIndex)) == tpm::kSuccess);
  }
}

TEST_CASE("what was there before the daemon knew is the administrators'") {
  if (!can_become_nobody()) return;
  TempFolder state;
  TestBench bench({.arguments = {"--state-dir=" + state.path()}});
  {
    RawClient owner = context_of(bench, kBob);
    make_victims(owner);
  }
  REQUIRE(bench.stop_daemon() == 0);
  REQUIRE(std::filesystem::remove(state / "ownership"));
  bench.restart_daemon();
  RawClient owner = context_of(bench, kBob);
  CHECK(code(owner, nv_undefine(kIndex)) == kBlocked);
  CHECK(code(owner, tpm::evict_control(kKey, kKey)) == kBlocked);
  RawClient root = bench.context();
  CHECK(code(root, nv_undefine(kIndex)) == tpm::kSuccess);
}

TEST_CASE("PCRs, vendor commands, lockout and platform are the administrators'") {
  if (!can_become_nobody()) return;
  TestBench bench;
  RawClient user = context_of(bench, kAlice);
  RawClient root = bench.context();
  const Buffer before = tpm::pcr_value(root.call(tpm::pcr_read(12)).response);
  for (const std::uint32_t pcr : {0U, 7U, 11U, 12U, 15U, 17U, 22U}) {
    CHECK(code(user, tpm::pcr_extend(pcr, kDigest)) == kBlocked);
    CHECK(code(user, pcr_event(pcr)) == kBlocked);
    CHECK(code(user, tpm::pcr_reset(pcr)) == kBlocked);
    CHECK(code(user, pcr_set_auth(pcr)) == kBlocked);
  }
  const std::uint32_t sequence = tpm::handle(
      user.call(CommandBuilder(TPM2_CC_HashSequenceStart).sized({}).u16(TPM2_ALG_NULL).finish())
          .response);
  CHECK(code(user, with_password(TPM2_CC_EventSequenceComplete, {12, sequence})
                       .authorization(tbs::tpm::password_authorization({}))
                       .sized(Buffer(4, 1))
                       .finish()) == kBlocked);
  CHECK(tpm::pcr_value(root.call(tpm::pcr_read(12)).response) == before);
  CHECK(code(user, CommandBuilder(0x20000000).finish()) == kBlocked);
  const Answer session = user.call(start_session(TPM2_RH_NULL, TPM2_SE_POLICY));
  REQUIRE(tpm::code(session.response) == tpm::kSuccess);
  for (const std::uint32_t entity : {TPM2_RH_LOCKOUT, TPM2_RH_PLATFORM}) {
    CHECK(code(user, policy_secret(entity, tpm::handle(session.response))) == kBlocked);
    CHECK(code(user, start_session(entity, TPM2_SE_HMAC)) == kBlocked);
    CHECK(code(user, nv_lock(TPM2_CC_NV_WriteLock, entity, kIndex)) == kBlocked);
  }
  CHECK(code(user, policy_secret(TPM2_RH_OWNER, tpm::handle(session.response))) == tpm::kSuccess);
  CHECK(code(root, tpm::pcr_extend(12, kDigest)) == tpm::kSuccess);
}

TEST_CASE("what users do every day works") {
  if (!can_become_nobody()) return;
  TestBench bench;
  RawClient user = context_of(bench, kAlice);
  for (const std::uint32_t pcr : {16U, 23U}) {
    CHECK(code(user, tpm::pcr_extend(pcr, kDigest)) == tpm::kSuccess);
    CHECK(code(user, pcr_event(pcr)) == tpm::kSuccess);
    CHECK(code(user, tpm::pcr_reset(pcr)) == tpm::kSuccess);
  }
  make_victims(user);
  check_untouched(user);
  CHECK(code(user, nv_write_as_index(kIndex)) == tpm::kSuccess);
  CHECK(code(user, nv_undefine(kIndex)) == tpm::kSuccess);
  CHECK(code(user, tpm::evict_control(kKey, kKey)) == tpm::kSuccess);
}

TEST_CASE("an account takes its part of NV memory and no more") {
  if (!can_become_nobody()) return;
  TestBench bench({.arguments = {"--nv-bytes-per-user=1000", "--nv-indices-per-user=3",
                                 "--persistent-per-user=1"}});
  RawClient user = context_of(bench, kAlice);
  CHECK(code(user, tpm::nv_define(kUsersIndex, 1001)) == kNoSpace);
  CHECK(code(user, tpm::nv_define(kUsersIndex, 900)) == tpm::kSuccess);
  CHECK(code(user, tpm::nv_define(kUsersIndex + 1, 200)) == kNoSpace);
  CHECK(code(user, tpm::nv_define(kUsersIndex + 1, 8)) == tpm::kSuccess);
  CHECK(code(user, tpm::nv_define(kUsersIndex + 2, 8)) == tpm::kSuccess);
  CHECK(code(user, tpm::nv_define(kUsersIndex + 3, 8)) == kNoSpace);
  const std::uint32_t key = primary_of(user);
  CHECK(code(user, tpm::evict_control(key, kKey)) == tpm::kSuccess);
  CHECK(code(user, tpm::evict_control(key, kKey + 1)) == kNoSpace);
  const auto list = RawClient::observer(bench.socket()).ask(tbs::proto::ListLimits{});
  const auto entry =
      std::ranges::find(list.entries, "nv-bytes-per-user", &tbs::proto::LimitEntry::name);
  REQUIRE(entry != list.entries.end());
  CHECK(entry->used == 916);
  CHECK(entry->uid == kAlice);
  // Others have theirs, and what is given back can be used again.
  RawClient other = context_of(bench, kBob);
  CHECK(code(other, tpm::nv_define(kUsersIndex + 4, 900)) == tpm::kSuccess);
  CHECK(code(user, nv_undefine(kUsersIndex)) == tpm::kSuccess);
  CHECK(code(user, tpm::nv_define(kUsersIndex, 900)) == tpm::kSuccess);
  RawClient root = bench.context();
  for (std::uint32_t i = 10; i < 15; ++i) {
    CHECK(code(root, tpm::nv_define(kUsersIndex + i, 8)) == tpm::kSuccess);
  }
}

TEST_CASE("commands that wait are judged again when the TPM is free") {
  if (!can_become_nobody()) return;
  TestBench bench;
  RawClient thief = context_of(bench, kAlice);
  RawClient victim = context_of(bench, kBob);
  CHECK(code(thief, tpm::nv_define(kUsersIndex, 8)) == tpm::kSuccess);
  RawClient root = bench.context();
  bench.occupy_tpm(root);
  // Both were the thief's when they came.
  thief.submit(11, nv_undefine(kUsersIndex));
  REQUIRE(bench.wait_for_load(thief, 1, 0));
  victim.submit(12, tpm::nv_define(kUsersIndex, 8));
  REQUIRE(bench.wait_for_load(victim, 1, 0));
  thief.submit(13, nv_undefine(kUsersIndex));
  REQUIRE(bench.wait_for_load(thief, 2, 0));
  bench.thaw_tpm();
  const Answer defined = victim.receive_result();
  const Answer first = thief.receive_result();
  const Answer second = thief.receive_result();
  CHECK(tpm::code(first.response) == tpm::kSuccess);
  // In whichever order they ran, the thief's second command removed nothing of the victim's.
  CHECK(tpm::code(second.response) == kBlocked);
  CHECK((tpm::code(defined.response) == tpm::kSuccess ||
         tpm::code(defined.response) == TPM2_RC_NV_DEFINED));
}

TEST_CASE("an administrator can loosen it") {
  if (!can_become_nobody()) return;
  TempFolder folder;
  std::filesystem::create_directory(folder / "policy.d");
  write_file(
      folder / "policy.d/10-test.conf",
      "allow user owner other nv 0x01500000-0x015000ff\nallow user command PCR_Extend pcr 12\n");
  TestBench bench({.arguments = {"--policy-dir=" + (folder / "policy.d")}});
  RawClient owner = context_of(bench, kBob);
  RawClient user = context_of(bench, kAlice);
  make_victims(owner);
  CHECK(code(user, nv_undefine(kIndex)) == tpm::kSuccess);
  CHECK(code(user, tpm::evict_control(kKey, kKey)) == kBlocked);
  CHECK(code(user, tpm::pcr_extend(12, kDigest)) == tpm::kSuccess);
  CHECK(code(user, tpm::pcr_extend(11, kDigest)) == kBlocked);
}
