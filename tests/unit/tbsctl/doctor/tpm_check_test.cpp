#include "client/tbsctl/doctor/tpm_check.h"

#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/doctor/findings.h"

using namespace tbs::ctl;
using namespace tbs::test;
namespace proto = tbs::proto;

namespace {

TpmFacts ready() {
  TpmFacts facts;
  facts.health.status = proto::DaemonStatusReply{
      .device_state = proto::DeviceState::Ready, .uptime_us = 61'000'000, .device = "/dev/tpm0"};
  facts.health.tpm = TpmReply::Answered;
  facts.health.lockout = TpmLockout{.limit = 32, .interval = 600};
  return facts;
}

}  // namespace

TEST_CASE("doctor: the TPM", "[tbsctl][doctor]") {
  TpmFacts facts = ready();
  REQUIRE(check_tpm(facts).size() == 1);
  CHECK(says(check_tpm(facts), Severity::Fine, "the TPM /dev/tpm0 is ready and answers"));
  facts.health.status->reopened = 3;
  CHECK(says(check_tpm(facts), Severity::Warning, "was lost 3 times in 1 min 1 s"));
  facts.health.status->device_state = proto::DeviceState::Down;
  facts.health.status->problem = "gone";
  facts.health.status->advice = "fetch it";
  CHECK(says(check_tpm(facts), Severity::Error, "the TPM is not ready: gone"));
  CHECK(are_whole(check_tpm(facts)));
  facts = ready();
  facts.health.tpm = TpmReply::Silent;
  CHECK(says(check_tpm(facts), Severity::Warning, "did not answer"));
  CHECK(says(check_tpm({}), Severity::Unseen, "tbsd does not say"));
}

TEST_CASE("doctor: lockouts, and for how long", "[tbsctl][doctor]") {
  TpmFacts facts = ready();
  CHECK(says(check_lockout(facts), Severity::Fine, "no failed authorization"));
  facts.health.lockout->counter = 3;
  REQUIRE(check_lockout(facts).size() == 1);
  CHECK(says(check_lockout(facts), Severity::Note, "the TPM counts 3 of 32"));
  CHECK(check_lockout(facts)[0].why.contains("one every 10 min 0 s, all of them in 30 min 0 s"));
  facts.health.lockout->counter = 32;
  CHECK(says(check_lockout(facts), Severity::Note, "and takes no more"));
  facts.locked = {{"alice", 4, 60}};
  CHECK(says(check_lockout(facts), Severity::Warning, "alice is locked out after 4"));
  CHECK(check_lockout(facts)[0].why.contains("forgotten in 1 min 0 s"));
  CHECK(check_lockout(facts)[0].remedy.contains("--uid alice"));
  facts.lockout_unseen = "no tbsd";
  CHECK(says(check_lockout(facts), Severity::Unseen, "no tbsd"));
}

TEST_CASE("doctor: the PCRs beside the log", "[tbsctl][doctor]") {
  CHECK(says(check_measurements({.events = 40, .pcrs = 18}), Severity::Fine,
             "18 PCRs hold what the 40 events"));
  MeasurementFacts facts{.difference = "PCR 7 (sha256) is x"};
  CHECK(says(check_measurements(facts), Severity::Warning, "PCR 7 (sha256) is x"));
  CHECK(are_whole(check_measurements(facts)));
  facts.by_right = true;
  CHECK(says(check_measurements(facts), Severity::Note, "PCR 7 (sha256) is x"));
  CHECK(says(check_measurements({.unseen = "no log"}), Severity::Unseen, "no log"));
}
