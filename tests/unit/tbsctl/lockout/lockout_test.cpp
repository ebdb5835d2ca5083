#include <nlohmann/json.hpp>

#include "client/tbsctl/lockout/commands.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"

using namespace tbs::ctl;
using tbs::test::RecordedDaemon;
namespace proto = tbs::proto;
namespace tpm = tbs::tpm;

namespace {

// TPM2_GetCapability: counter 3, limit 10, one less in 600 s, lockout authorization after 1000 s.
proto::Buffer properties(std::uint32_t counter = 3) {
  return tpm::properties_response({.more = false,
                                   .items = {{tpm::pt::kLockoutCounter, counter},
                                             {tpm::pt::kMaxAuthFail, 10},
                                             {tpm::pt::kLockoutInterval, 600},
                                             {TPM2_PT_LOCKOUT_RECOVERY, 1000}}});
}

proto::LockoutStatusReply guard() {
  return {.window = 28800,
          .per_user = 4,
          .total = 9,
          .entries = {{.uid = 0, .failures = 4, .locked = 1, .seconds = 60}}};
}

}  // namespace

TEST_CASE_METHOD(RecordedDaemon, "the lockout in words", "[tbsctl][lockout]") {
  const auto response = properties();
  answer(proto::Result{.response = response});
  answer(guard());
  REQUIRE(run_lockout(daemon, console()).has_value());
  const std::string text = out.str();
  CHECK(text.find("3 of 10\n") != text.npos);
  CHECK(text.find("Left for users:         6\n") != text.npos);
  CHECK(text.find("Decreases by one in:    10 min 0 s\n") != text.npos);
  CHECK(text.find("4 failures of a user, or 9 of all users, within 8 h 0 min\n") != text.npos);
  CHECK(text.find("root         4  locked out") != text.npos);
}

TEST_CASE_METHOD(RecordedDaemon, "the last failure is the administrators'", "[tbsctl][lockout]") {
  const auto response = properties(9);
  for (int i = 0; i < 2; ++i) {
    answer(proto::Result{.response = response});
    answer(guard());
  }
  REQUIRE(run_lockout(daemon, console()).has_value());
  CHECK(out.str().find("none, the last one") != std::string::npos);
  out.str("");
  REQUIRE(run_lockout(daemon, console(true)).has_value());
  const auto json = nlohmann::json::parse(out.str());
  CHECK(json["tpm"]["users_limit"] == 9);
  CHECK(json["tpm"]["users_held_back"] == true);
}

TEST_CASE_METHOD(RecordedDaemon, "a TPM that says nothing of its counter", "[tbsctl][lockout]") {
  answer(proto::Result{.status = proto::Status::CommandCanceled});
  answer(guard());
  REQUIRE(run_lockout(daemon, console(true)).has_value());
  const auto json = nlohmann::json::parse(out.str());
  CHECK(json["tpm"].is_null());
  CHECK(json["users"][0]["locked"] == true);
  CHECK(json["per_user"] == 4);
}

TEST_CASE_METHOD(RecordedDaemon, "a reset that is refused", "[tbsctl][lockout]") {
  answer(proto::LockoutResetReply{.status = proto::Status::AccessDenied});
  const auto outcome = run_lockout_reset(daemon, console(), 7);
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().exit == Exit::Tbs);
  CHECK(request<proto::LockoutReset>(0).uid == 7);
}
