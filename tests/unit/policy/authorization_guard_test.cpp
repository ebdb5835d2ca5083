#include "daemon/policy/authorization_guard.h"

#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using policy::AuthorizationGuard;
using proto::Buffer;

namespace {

constexpr MachineTime kNow = {.since_boot = 100'000, .wall = 1'700'000'000};
constexpr UserId kAlice{1001};
constexpr UserId kBob{1002};

Buffer message(std::uint16_t tag, std::uint32_t code) {
  return proto::tpm_error_response(tag, code);
}

SharedCommand authorized(UserId user, rules::RoleSet roles = test::kUserRoles,
                         Family family = Family::Tpm20) {
  const std::uint16_t tag = family == Family::Tpm20 ? tpm::kTagSessions : tpm12::kTagAuth1Command;
  return test::client_command(
      {.user = user, .roles = roles, .family = family, .bytes = message(tag, tpm::cc::kNvRead)});
}

MachineTime later(std::uint64_t seconds) {
  return {.since_boot = kNow.since_boot + seconds, .wall = kNow.wall + seconds};
}

// TPM2_GetCapability, and what a TPM answers.
SharedCommand asking_for_counter(UserId user) {
  return test::client_command(
      {.user = user,
       .bytes = tpm::build::get_capability(tpm::cap::kProperties, tpm::pt::kLockoutCounter, 4)});
}

Buffer counter_is(std::uint32_t counter, std::uint32_t limit, std::uint32_t interval) {
  return tpm::properties_response({.more = true,
                                   .items = {{tpm::pt::kLockoutCounter, counter},
                                             {tpm::pt::kMaxAuthFail, limit},
                                             {tpm::pt::kLockoutInterval, interval},
                                             {TPM2_PT_LOCKOUT_RECOVERY, 3600}}});
}

// Handles, then an authorization area that is not looked at.
SharedCommand naming(std::vector<std::uint32_t> handles, std::uint32_t code, std::uint16_t tag,
                     rules::RoleSet roles = test::kUserRoles) {
  return test::client_command(
      {.user = kAlice, .roles = roles, .bytes = test::tpm_message(code, std::move(handles), tag)});
}

const Buffer kAuthFail = message(tpm::kTagNoSessions, tpm::at_session(tpm::rc::kAuthFail, 1));

class Bench : public AuthorizationGuard::Observer {
 public:
  Bench() {
    guard.set_limits({.window = 3600, .per_user = 2, .total = 9});
    guard.restore({}, [this](std::string text) { kept = std::move(text); });
    guard.set_observer(*this);
  }
  void held_back(const ClientCommand&) override { events += "held "; }
  void locked_out(const ClientCommand&) override { events += "locked "; }
  void lockout_auth_failed(const ClientCommand&, std::uint32_t seconds) override {
    events += "lockout-auth " + std::to_string(seconds) + " ";
  }

  void fail(UserId user) { guard.responded(*authorized(user), kAuthFail); }

  MachineTime machine = kNow;
  AuthorizationGuard guard{[this] { return machine; }, "boot-1"};
  std::string kept;
  std::string events;
};

}  // namespace

TEST_CASE("only commands with an authorization of no administrator are watched",
          "[policy][lockout]") {
  Bench bench;
  CHECK(bench.guard.watches(*authorized(kAlice)));
  CHECK(bench.guard.watches(*authorized(kAlice, test::kUserRoles, Family::Tpm12)));
  CHECK_FALSE(bench.guard.watches(*authorized(kAlice, test::kAdministratorRoles)));
  CHECK_FALSE(bench.guard.watches(*test::client_command({.user = kAlice})));
}

TEST_CASE("who has failed too often is held back, and nobody else is", "[policy][lockout]") {
  Bench bench;
  bench.fail(kAlice);
  CHECK_FALSE(bench.guard.refusal(*authorized(kAlice)).has_value());
  CHECK(bench.events.empty());
  bench.fail(kAlice);
  CHECK(bench.events == "locked ");
  CHECK(bench.guard.refusal(*authorized(kAlice)) ==
        message(tpm::kTagNoSessions, tpm::rc::kLockout));
  CHECK(bench.events == "locked held ");
  CHECK_FALSE(bench.guard.refusal(*authorized(kBob)).has_value());
  CHECK_FALSE(bench.guard.refusal(*authorized(kAlice, test::kAdministratorRoles)).has_value());
  // What needs no authorization goes through.
  CHECK_FALSE(bench.guard.refusal(*test::client_command({.user = kAlice})).has_value());
}

TEST_CASE("only what the TPM counts is counted", "[policy][lockout]") {
  const auto counted = [](Family family, std::uint32_t code) {
    Bench bench;
    const std::uint16_t tag = family == Family::Tpm20 ? tpm::kTagNoSessions : tpm12::kTagResponse;
    bench.guard.responded(*authorized(kAlice, test::kUserRoles, family), message(tag, code));
    CHECK(bench.kept.empty() == bench.guard.entries().empty());
    return !bench.guard.entries().empty();
  };
  CHECK(counted(Family::Tpm20, tpm::rc::kAuthFail));
  CHECK(counted(Family::Tpm20, tpm::at_session(tpm::rc::kAuthFail, 1)));
  CHECK(counted(Family::Tpm20, tpm::at_session(tpm::rc::kAuthFail, 2)));
  // That one is for what has no protection against guessing.
  CHECK_FALSE(counted(Family::Tpm20, tpm::at_session(tpm::rc::kBadAuth, 1)));
  CHECK_FALSE(counted(Family::Tpm20, tpm::rc::kLockout));
  CHECK_FALSE(counted(Family::Tpm20, tpm::rc::kSuccess));
  CHECK(counted(Family::Tpm12, tpm12::rc::kAuthFail));
  CHECK(counted(Family::Tpm12, tpm12::rc::kAuth2Fail));
  CHECK_FALSE(counted(Family::Tpm12, tpm::rc::kAuthFail));
  // What is no response says nothing.
  Bench bench;
  bench.guard.responded(*authorized(kAlice), {});
  CHECK(bench.guard.entries().empty());
}

TEST_CASE("a TPM 1.2 has a lockout code of its own", "[policy][lockout]") {
  Bench bench;
  const auto command = authorized(kAlice, test::kUserRoles, Family::Tpm12);
  bench.guard.responded(*command, message(tpm12::kTagResponse, tpm12::rc::kAuthFail));
  bench.guard.responded(*command, message(tpm12::kTagResponse, tpm12::rc::kAuth2Fail));
  CHECK(bench.guard.refusal(*command) ==
        message(tpm12::kTagResponse, tpm12::rc::kDefendLockRunning));
}

TEST_CASE("failures outlive the process until they are reset", "[policy][lockout]") {
  Bench bench;
  bench.fail(kAlice);
  bench.fail(kAlice);
  bench.fail(kBob);
  AuthorizationGuard next([] { return later(60); }, "boot-1");
  next.set_limits({.window = 3600, .per_user = 2, .total = 9});
  std::string kept = "untouched";
  next.restore(bench.kept, [&](std::string text) { kept = std::move(text); });
  CHECK(next.refusal(*authorized(kAlice)).has_value());
  next.reset(account_of(kAlice));
  CHECK(kept == "time 1000100060 100060 1700000060 0 boot-1\n1002 1000100000\n");
  CHECK_FALSE(next.refusal(*authorized(kAlice)).has_value());
  next.reset(std::nullopt);
  CHECK(kept.empty());
}

TEST_CASE("a clock that is set locks out nobody, and frees nobody", "[policy][lockout]") {
  Bench bench;
  bench.machine.wall += 30 * 86'400;
  bench.fail(kAlice);
  bench.fail(kAlice);
  CHECK(bench.guard.entries().front().until - bench.guard.now() == 3600);
  bench.machine.wall -= 60 * 86'400;
  CHECK(bench.guard.entries().front().until - bench.guard.now() == 3600);
  // Nor over a restart of the daemon.
  AuthorizationGuard next([&] { return bench.machine; }, "boot-1");
  next.set_limits({.window = 3600, .per_user = 2, .total = 9});
  next.restore(bench.kept, [](const std::string&) {});
  CHECK(next.refusal(*authorized(kAlice)).has_value());
  CHECK(next.entries().front().until - next.now() == 3600);
  bench.machine.since_boot += 3600;
  CHECK_FALSE(next.refusal(*authorized(kAlice)).has_value());
}

TEST_CASE("failures that an older daemon wrote down are known", "[policy][lockout]") {
  Bench bench;
  const std::string at = std::to_string(kNow.wall - 600);
  const std::string future = std::to_string(kNow.wall + 9'000'000);
  bench.guard.restore("1001 " + at + "\n1001 " + future + "\n", [](const std::string&) {});
  REQUIRE(bench.guard.entries().size() == 1);
  CHECK(bench.guard.entries().front().failures == 2);
  CHECK(bench.guard.entries().front().until - bench.guard.now() == 3000);
  bench.machine.since_boot += 3600;
  CHECK(bench.guard.entries().empty());
}

TEST_CASE("the TPM is asked before somebody is held back", "[policy][lockout]") {
  Bench bench;
  bench.guard.learn({.counter = 0, .limit = 32, .interval = 600});
  bench.fail(kAlice);
  bench.fail(kAlice);
  CHECK(bench.guard.refusal(*authorized(kAlice)).has_value());
  CHECK_FALSE(bench.guard.question(*authorized(kAlice)).has_value());
  bench.machine.since_boot += 60;
  CHECK_FALSE(bench.guard.refusal(*authorized(kAlice)).has_value());
  // Nobody else's command is worth a question.
  CHECK_FALSE(bench.guard.question(*authorized(kBob)).has_value());
  CHECK(bench.guard.question(*authorized(kAlice)) ==
        tpm::build::get_capability(tpm::cap::kProperties, tpm::pt::kLockoutCounter, 4));
  // It does not answer: what is known holds.
  bench.guard.answered(message(0x8001, 0x922));
  CHECK(bench.guard.refusal(*authorized(kAlice)).has_value());
  bench.machine.since_boot += 60;
  REQUIRE(bench.guard.question(*authorized(kAlice)).has_value());
  bench.guard.answered(counter_is(0, 32, 600));
  CHECK_FALSE(bench.guard.refusal(*authorized(kAlice)).has_value());
  CHECK(bench.kept.empty());
}

TEST_CASE("a counter that a client asks for is learnt", "[policy][lockout]") {
  Bench bench;
  bench.guard.learn({.counter = 0, .limit = 32, .interval = 600});
  bench.fail(kAlice);
  bench.fail(kAlice);
  const auto command = asking_for_counter(kBob);
  CHECK(bench.guard.watches(*command));
  bench.guard.responded(*command, counter_is(2, 3, 600));
  CHECK(bench.guard.refusal(*authorized(kBob)).has_value());
  // Half of it, and what is none, changes nothing.
  bench.guard.responded(
      *command, tpm::properties_response({.more = true, .items = {{0x20E, 0}, {0x20F, 32}}}));
  bench.guard.responded(*command, message(0x8001, 0x101));
  CHECK(bench.guard.refusal(*authorized(kBob)).has_value());
}

TEST_CASE("no command of a user that names lockoutAuth gets through", "[policy][lockout]") {
  Bench bench;
  const std::uint32_t lockout = 0x4000000A;
  // DictionaryAttackLockReset; PolicySecret; StartAuthSession that binds to it.
  CHECK(bench.guard.refusal(*naming({lockout, 9, 0x40000009, 0, 0}, 0x139, 0x8002)));
  CHECK(bench.guard.refusal(*naming({lockout, 0x03000000, 9, 0x40000009}, 0x151, 0x8002)));
  CHECK(bench.guard.refusal(*naming({0x40000007, lockout}, 0x176, 0x8001)));
  CHECK(bench.events == "held held held ");
  CHECK_FALSE(bench.guard.refusal(*naming({0x40000007, 0x40000007}, 0x176, 0x8001)));
  CHECK_FALSE(bench.guard.refusal(*naming({0x40000001, 9, 0x40000009, lockout}, 0x131, 0x8002)));
  CHECK_FALSE(bench.guard.refusal(*naming({6, lockout, 1}, 0x17A, 0x8001)));
  CHECK_FALSE(bench.guard.refusal(*naming({}, 0x139, 0x8002)));
  CHECK_FALSE(bench.guard.refusal(
      *naming({lockout, 9, 0x40000009}, 0x139, 0x8002, test::kAdministratorRoles)));
}

TEST_CASE("a wrong lockoutAuth is told and not counted with the rest", "[policy][lockout]") {
  Bench bench;
  bench.guard.learn({.counter = 0, .limit = 32, .interval = 600, .recovery = 3600});
  const auto command =
      naming({0x4000000A, 9, 0x40000009}, 0x139, 0x8002, test::kAdministratorRoles);
  CHECK(bench.guard.watches(*command));
  bench.guard.responded(*command, kAuthFail);
  CHECK(bench.events == "lockout-auth 3600 ");
  CHECK(bench.guard.entries().empty());
  // Another failure of an administrator is the TPM's affair alone.
  bench.guard.responded(*authorized(kBob, test::kAdministratorRoles), kAuthFail);
  CHECK(bench.guard.entries().empty());
}

TEST_CASE("what cannot raise the TPM's counter goes on when that is near its limit",
          "[policy][lockout]") {
  Bench bench;
  tpm::CommandTable commands;
  commands.load(std::vector<std::uint32_t>{0x131 | 1U << 25});
  bench.guard.learn({.counter = 2, .limit = 3, .interval = 600});
  const auto command = test::client_command(
      {.user = kAlice,
       .bytes = tpm::build::create_primary(
           tpm::kRhOwner,
           TPMT_PUBLIC{.type = TPM2_ALG_KEYEDHASH,
                       .nameAlg = TPM2_ALG_SHA256,
                       .objectAttributes = 0,
                       .authPolicy = {},
                       .parameters = {.keyedHashDetail = {.scheme = {.scheme = TPM2_ALG_NULL,
                                                                     .details = {}}}},
                       .unique = {}})});
  CHECK(bench.guard.refusal(*command).has_value());  // it does not know the TPM's commands
  bench.guard.set_commands(commands);
  CHECK_FALSE(bench.guard.refusal(*command).has_value());
  CHECK(bench.guard.refusal(*authorized(kAlice)).has_value());
  // Who is locked out for own failures is so for everything.
  bench.guard.learn({.counter = 2, .limit = 32, .interval = 600});
  bench.fail(kAlice);
  bench.fail(kAlice);
  CHECK(bench.guard.refusal(*command).has_value());
}
