#include "client/tbsctl/health/health.h"

#include <nlohmann/json.hpp>

#include "client/tbsctl/health/commands.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"

using namespace tbs::ctl;
using tbs::test::RecordedDaemon;
namespace proto = tbs::proto;

namespace {

HealthFacts fine() {
  return {.unreachable = {},
          .status =
              proto::DaemonStatusReply{
                  .device_state = proto::DeviceState::Ready, .version = "1", .device = "/dev/tpm0"},
          .limits = {{.scope = 3, .limit = 1024, .used = 1023, .name = "max-contexts"}},
          .tpm = TpmReply::Answered,
          .tpm_failure = {},
          .lockout = TpmLockout{.counter = 3, .limit = 10, .interval = 600}};
}

// What is wrong, when it is one thing.
std::string only_reason(const HealthFacts& facts, HealthLevel level) {
  const Health health = judge_health(facts);
  CHECK(health.level == level);
  REQUIRE(health.reasons.size() == 1);
  CHECK(health.reasons[0].level == level);
  return health.reasons[0].what + "|" + health.reasons[0].advice;
}

}  // namespace

TEST_CASE("health: nothing is wrong", "[tbsctl][health]") {
  HealthFacts facts = fine();
  // Waiting for others, or not asking, is nothing wrong.
  facts.tpm = GENERATE(TpmReply::Answered, TpmReply::Busy, TpmReply::NotAsked);
  const Health health = judge_health(facts);
  CHECK(health.level == HealthLevel::Fine);
  CHECK(health.reasons.empty());
}

TEST_CASE("health: down", "[tbsctl][health]") {
  CHECK(only_reason({.unreachable = "cannot reach tbsd"}, HealthLevel::Down) ==
        "cannot reach tbsd|");
  HealthFacts facts = fine();
  facts.tpm = TpmReply::NotAsked;
  facts.status->device_state = proto::DeviceState::Down;
  facts.status->problem = "it is in failure mode";
  facts.status->advice = "switch it off";
  CHECK(only_reason(facts, HealthLevel::Down) ==
        "the TPM is not ready: it is in failure mode|switch it off");
}

TEST_CASE("health: degraded by tbsd's own word", "[tbsctl][health]") {
  HealthFacts facts = fine();
  SECTION("it starts the TPM") {
    facts.status->device_state = proto::DeviceState::Starting;
    CHECK(only_reason(facts, HealthLevel::Degraded) == "the TPM is being started|");
    facts.status->problem = "TPM2_SelfTest for 7 s";
    CHECK(only_reason(facts, HealthLevel::Degraded) == "TPM2_SelfTest for 7 s|");
  }
  SECTION("a command holds the TPM") {
    facts.tpm = TpmReply::Busy;
    facts.status->problem = "no answer to TPM2_Create for 40.0 s";
    facts.status->advice = "see contexts";
    CHECK(only_reason(facts, HealthLevel::Degraded) ==
          "no answer to TPM2_Create for 40.0 s|see contexts");
  }
  SECTION("a limit for all together is used up, not one of a user") {
    facts.limits = {{.scope = 3, .limit = 8, .used = 8, .name = "max-contexts"},
                    {.scope = 2, .limit = 8, .used = 8, .name = "objects-per-user"},
                    {.scope = 3, .limit = 0, .used = 0, .name = "max-nothing"}};
    CHECK(only_reason(facts, HealthLevel::Degraded)
              .starts_with("the limit max-contexts is used up, 8 of 8|"));
  }
}

TEST_CASE("health: degraded by what became of the command", "[tbsctl][health]") {
  HealthFacts facts = fine();
  SECTION("silence") {
    facts.tpm = TpmReply::Silent;
    facts.tpm_waited_us = 600'000;
    CHECK(only_reason(facts, HealthLevel::Degraded)
              .starts_with("the TPM did not answer a short command within 600 ms|"));
  }
  SECTION("silence that tbsd has an explanation for") {
    facts.tpm = TpmReply::Silent;
    facts.status->problem = "no answer to TPM2_GetCapability for 0.6 s";
    CHECK(only_reason(facts, HealthLevel::Degraded).starts_with("no answer to TPM2_GetCap"));
  }
  SECTION("no context, or no answer") {
    facts.tpm = GENERATE(TpmReply::NoContext, TpmReply::Failed);
    facts.tpm_failure = "too many contexts";
    CHECK(only_reason(facts, HealthLevel::Degraded).starts_with("too many contexts|"));
  }
  SECTION("an error of the TPM") {
    facts.tpm_response = TPM2_RC_FAILURE;
    facts.lockout = std::nullopt;
    CHECK(only_reason(facts, HealthLevel::Degraded).contains("TPM_RC_FAILURE"));
  }
}

TEST_CASE("health: degraded by failed authorizations", "[tbsctl][health]") {
  HealthFacts facts = fine();
  facts.lockout->counter = 9;
  CHECK(only_reason(facts, HealthLevel::Degraded).starts_with("no user's authorization"));
  facts.lockout->in_lockout = true;
  const std::string reason = only_reason(facts, HealthLevel::Degraded);
  CHECK(reason.starts_with("the TPM is in lockout: it counts 9 of 10"));
  CHECK(reason.contains("10 min 0 s"));
}

TEST_CASE("health: the worst comes first", "[tbsctl][health]") {
  HealthFacts facts = fine();
  facts.limits = {{.scope = 3, .limit = 8, .used = 8, .name = "max-contexts"}};
  facts.status->device_state = proto::DeviceState::Down;
  const Health health = judge_health(facts);
  CHECK(health.level == HealthLevel::Down);
  REQUIRE(health.reasons.size() == 2);
  CHECK(health.reasons[0].level == HealthLevel::Down);
  CHECK(health.reasons[1].level == HealthLevel::Degraded);
}

TEST_CASE_METHOD(RecordedDaemon, "health: one line, and the exit code", "[tbsctl][health]") {
  HealthFacts facts = fine();
  REQUIRE(report_health(console(), facts).has_value());
  CHECK(out.str() == "fine: the TPM /dev/tpm0 is ready and answers\n");
  out.str("");
  facts.tpm = TpmReply::NoContext;
  facts.tpm_failure = "too many\ncontexts";
  const auto degraded = report_health(console(), facts);
  REQUIRE_FALSE(degraded.has_value());
  CHECK(degraded.error().exit == Exit::Degraded);
  CHECK(degraded.error().message.empty());
  CHECK(out.str().starts_with("degraded: too many?contexts; see `tbsctl status`"));
  CHECK(std::ranges::count(out.str(), '\n') == 1);
  out.str("");
  const auto down = report_health(console(), {.unreachable = "gone"});
  REQUIRE_FALSE(down.has_value());
  CHECK(down.error().exit == Exit::Down);
  CHECK(out.str() == "down: gone\n");
}

TEST_CASE_METHOD(RecordedDaemon, "health: as JSON", "[tbsctl][health]") {
  REQUIRE(report_health(console(true), fine()).has_value());
  CHECK(nlohmann::json::parse(out.str()) ==
        nlohmann::json::parse(R"({"health": "fine", "reasons": [], "version": "1",
            "device": "/dev/tpm0", "device_state": "ready", "tpm": "answered"})"));
  out.str("");
  CHECK_FALSE(report_health(console(true), {.unreachable = "gone"}).has_value());
  CHECK(nlohmann::json::parse(out.str()) ==
        nlohmann::json::parse(R"({"health": "down", "version": null, "device": null,
            "reasons": [{"level": "down", "what": "gone", "advice": ""}],
            "device_state": null, "tpm": "not asked"})"));
}
