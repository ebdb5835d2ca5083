#include "client/tbsctl/doctor/tpm_check.h"

#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

constexpr std::uint64_t kMicrosecondsPerSecond = 1'000'000;

std::string in_seconds(std::uint32_t seconds) {
  return duration(seconds * kMicrosecondsPerSecond);
}

Finding tpm_finding(std::string check, Severity severity, std::string what, std::string why = {},
                    std::string remedy = {}) {
  return {severity, std::move(check), std::move(what), std::move(why), std::move(remedy)};
}

}  // namespace

Findings check_tpm(const TpmFacts& facts) {
  if (!facts.health.status) {
    return {tpm_finding("tpm", Severity::Unseen, "tbsd does not say how its TPM is")};
  }
  Findings findings;
  for (const HealthReason& reason : judge_health(facts.health).reasons) {
    const bool down = reason.level == HealthLevel::Down;
    findings.push_back(
        tpm_finding("tpm", down ? Severity::Error : Severity::Warning, printable(reason.what),
                    down ? "no program can use the TPM" : "programs wait or are refused",
                    printable(reason.advice)));
  }
  const proto::DaemonStatusReply& status = *facts.health.status;
  if (findings.empty()) {
    findings.push_back(
        tpm_finding("tpm", Severity::Fine,
                    "the TPM " + printable(status.device) + " is ready" +
                        (facts.health.tpm == TpmReply::Answered ? " and answers" : "")));
  }
  if (status.reopened > 0) {
    findings.push_back(tpm_finding("tpm", Severity::Warning,
                                   "the TPM was lost " + std::to_string(status.reopened) +
                                       " times in " + duration(status.uptime_us),
                                   "what was in it then is gone, and commands that ran failed",
                                   "`journalctl -t tbsd` says when and why"));
  }
  return findings;
}

Findings check_lockout(const TpmFacts& facts) {
  if (!facts.lockout_unseen.empty()) {
    return {tpm_finding("lockout", Severity::Unseen, printable(facts.lockout_unseen))};
  }
  Findings findings;
  for (const LockedUser& user : facts.locked) {
    findings.push_back(tpm_finding(
        "lockout", Severity::Warning,
        user.name + " is locked out after " + std::to_string(user.failures) +
            " failed authorizations",
        "commands of this user that need an authorization are refused; the oldest failure is "
        "forgotten in " +
            in_seconds(user.seconds),
        "find the program with the wrong password; `tbsctl lockout --reset --uid " + user.name +
            "` ends it at once"));
  }
  const auto& tpm = facts.health.lockout;
  if (tpm && tpm->counter > 0) {
    const std::string left = tpm->counter < tpm->limit ? "" : ", and takes no more";
    findings.push_back(tpm_finding(
        "lockout", Severity::Note,
        "the TPM counts " + std::to_string(tpm->counter) + " of " + std::to_string(tpm->limit) +
            " failed authorizations" + left,
        "it forgets one every " + in_seconds(tpm->interval) + ", all of them in " +
            duration(std::uint64_t{tpm->counter} * tpm->interval * kMicrosecondsPerSecond)));
  }
  if (findings.empty()) {
    findings.push_back(
        tpm_finding("lockout", Severity::Fine,
                    tpm ? "no failed authorization is counted" : "nobody is locked out"));
  }
  return findings;
}

Findings check_measurements(const MeasurementFacts& facts) {
  if (!facts.unseen.empty()) {
    return {tpm_finding("pcrs", Severity::Unseen, printable(facts.unseen),
                        "whether the PCRs are what firmware measured cannot be told")};
  }
  if (!facts.difference.empty() && facts.by_right) {
    return {tpm_finding(
        "pcrs", Severity::Note, printable(facts.difference),
        "the kernel (PCR 10) and systemd (11 to 15) extend it, too, and have logs of their "
        "own")};
  }
  if (!facts.difference.empty()) {
    return {tpm_finding("pcrs", Severity::Warning, printable(facts.difference),
                        "who checks this machine by its PCRs and its log will refuse it",
                        "`tbsctl log` shows every event and every PCR")};
  }
  return {tpm_finding("pcrs", Severity::Fine,
                      std::to_string(facts.pcrs) + " PCRs hold what the " +
                          std::to_string(facts.events) + " events of the log make of them")};
}

}  // namespace tbs::ctl
