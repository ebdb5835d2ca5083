#include "client/tbsctl/health/health.h"

#include <algorithm>

#include "client/tbsctl/response_code/rc_text.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/named.h"
#include "proto/tpm/constants.h"
#include "proto/tpm_header.h"

namespace tbs::ctl {
namespace {

using proto::DeviceState;

constexpr Names<HealthLevel, 3> kHealthLevels = {{
    {HealthLevel::Fine, "fine"},
    {HealthLevel::Degraded, "degraded"},
    {HealthLevel::Down, "down"},
}};

constexpr Names<TpmReply, 6> kReplies = {{
    {TpmReply::NotAsked, "not asked"},
    {TpmReply::Answered, "answered"},
    {TpmReply::Silent, "silent"},
    {TpmReply::Busy, "busy"},
    {TpmReply::NoContext, "no context"},
    {TpmReply::Failed, "failed"},
}};

constexpr std::uint32_t kScopeAll = 3;

class Judgement {
 public:
  // Behind what is as bad or worse.
  void add(HealthLevel level, std::string what, std::string advice = {}) {
    const auto place = std::ranges::find_if(
        health_.reasons, [level](const HealthReason& reason) { return reason.level < level; });
    health_.reasons.insert(place, {level, std::move(what), std::move(advice)});
    health_.level = std::max(health_.level, level);
  }
  Health take() { return std::move(health_); }

 private:
  Health health_;
};

void judge_device(Judgement& judgement, const proto::DaemonStatusReply& status) {
  switch (status.device_state) {
    case DeviceState::Ready:
      if (!status.problem.empty()) {
        judgement.add(HealthLevel::Degraded, status.problem, status.advice);
      }
      return;
    case DeviceState::Starting:
      judgement.add(HealthLevel::Degraded,
                    status.problem.empty() ? "the TPM is being started" : status.problem,
                    status.advice);
      return;
    case DeviceState::Down:
      break;
  }
  judgement.add(HealthLevel::Down,
                "the TPM is not ready: " +
                    (status.problem.empty() ? "tbsd does not say why" : status.problem),
                status.advice);
}

void judge_limits(Judgement& judgement, const std::vector<proto::LimitEntry>& limits) {
  for (const proto::LimitEntry& entry : limits) {
    if (entry.scope != kScopeAll || entry.limit == 0 || entry.used < entry.limit) continue;
    judgement.add(HealthLevel::Degraded,
                  "the limit " + entry.name + " is used up, " + std::to_string(entry.used) +
                      " of " + std::to_string(entry.limit),
                  "`tbsctl contexts` shows who holds what");
  }
}

void judge_lockout(Judgement& judgement, const TpmLockout& tpm) {
  const std::string counted = "it counts " + std::to_string(tpm.counter) + " of " +
                              std::to_string(tpm.limit) + " failed authorizations";
  const std::string advice =
      "one is forgotten after " + duration(std::uint64_t{tpm.interval} * 1'000'000) +
      "; `tbsctl lockout` tells more, and tpm2_dictionarylockout --clear-lockout ends it";
  if (tpm.in_lockout) {
    judgement.add(HealthLevel::Degraded, "the TPM is in lockout: " + counted, advice);
  } else if (users_held_back(tpm)) {
    judgement.add(HealthLevel::Degraded,
                  "no user's authorization is let through to the TPM: " + counted +
                      ", and the last attempt is kept for administrators",
                  advice);
  }
}

void judge_answer(Judgement& judgement, const HealthFacts& facts) {
  if (facts.tpm_response != 0) {
    const proto::TpmHeader header{
        .tag = tpm::kTagNoSessions, .size = 10, .code = facts.tpm_response};
    judgement.add(HealthLevel::Degraded,
                  "the TPM answered " + rc_line(header.code, describe_response(header)));
  }
  if (facts.lockout) judge_lockout(judgement, *facts.lockout);
}

// A command that others keep off the TPM is nothing yet: how long they have kept it, the status
// tells.
void judge_tpm(Judgement& judgement, const HealthFacts& facts) {
  switch (facts.tpm) {
    case TpmReply::NotAsked:
    case TpmReply::Busy:
      return;
    case TpmReply::Answered:
      return judge_answer(judgement, facts);
    case TpmReply::Silent:
      if (!facts.status->problem.empty()) return;  // which tells more of the same
      return judgement.add(
          HealthLevel::Degraded,
          "the TPM did not answer a short command within " + duration(facts.tpm_waited_us),
          "ask again, with a longer --timeout where the machine is slow; tbsd starts a TPM that "
          "hangs "
          "anew by itself");
    case TpmReply::NoContext:
    case TpmReply::Failed:
      return judgement.add(HealthLevel::Degraded, facts.tpm_failure,
                           "see `tbsctl status`, `tbsctl contexts` and `journalctl -t tbsd`");
  }
}

}  // namespace

std::string_view health_text(HealthLevel level) {
  return *name_of(kHealthLevels, level);
}

std::string_view reply_text(TpmReply reply) {
  return *name_of(kReplies, reply);
}

Health judge_health(const HealthFacts& facts) {
  Judgement judgement;
  if (!facts.status) {
    judgement.add(HealthLevel::Down, facts.unreachable);
    return judgement.take();
  }
  judge_device(judgement, *facts.status);
  judge_limits(judgement, facts.limits);
  judge_tpm(judgement, facts);
  return judgement.take();
}

}  // namespace tbs::ctl
