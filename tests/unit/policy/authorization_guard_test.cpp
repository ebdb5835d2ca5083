#include "daemon/policy/authorization_guard.h"

#include <catch2/catch.hpp>

#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"
#include "tests/support/client_command.h"

using namespace tbs;
using policy::AuthorizationGuard;
using proto::Buffer;

namespace {

constexpr std::uint64_t kNow = 1'700'000'000;
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

  void fail(UserId user) { guard.responded(*authorized(user), kAuthFail); }

  AuthorizationGuard guard{[] { return kNow; }};
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
  AuthorizationGuard next([] { return kNow + 60; });
  next.set_limits({.window = 3600, .per_user = 2, .total = 9});
  std::string kept = "untouched";
  next.restore(bench.kept, [&](std::string text) { kept = std::move(text); });
  CHECK(next.refusal(*authorized(kAlice)).has_value());
  next.reset(kAlice);
  CHECK(kept == "1002 1700000000\n");
  CHECK_FALSE(next.refusal(*authorized(kAlice)).has_value());
  next.reset(std::nullopt);
  CHECK(kept.empty());
}
