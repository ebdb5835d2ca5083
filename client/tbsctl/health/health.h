#pragma once

// Whether the TPM can be used through tbsd, by what was found out about it. No input or output:
// ask_health.h finds it out.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/tbsctl/lockout/tpm_lockout.h"
#include "proto/message.h"

namespace tbs::ctl {

enum class HealthLevel : std::uint8_t { Fine = 0, Degraded = 1, Down = 2 };
std::string_view health_text(HealthLevel level);

// What became of the one command that the TPM is sent.
enum class TpmReply : std::uint8_t {
  NotAsked,   // it is not ready, or was not to be asked
  Answered,   // by itself, whatever it said
  Silent,     // it had the command and did not answer it in time
  Busy,       // the command waited for somebody else's, and its time was over
  NoContext,  // tbsd opened no context for it
  Failed,     // tbsd gave an error in place of an answer
};
std::string_view reply_text(TpmReply reply);

struct HealthFacts {
  std::string unreachable;  // why tbsd cannot be asked; empty when it can
  std::optional<proto::DaemonStatusReply> status;
  std::vector<proto::LimitEntry> limits;
  TpmReply tpm = TpmReply::NotAsked;
  std::string tpm_failure;            // with NoContext and Failed: why
  std::uint64_t tpm_waited_us = 0;    // with Silent: for how long
  std::uint32_t tpm_response = 0;     // with Answered: the response code
  std::optional<TpmLockout> lockout;  // with Answered, of a TPM 2.0
};

struct HealthReason {
  HealthLevel level;
  std::string what;
  std::string advice;  // may be empty
};

struct Health {
  HealthLevel level = HealthLevel::Fine;
  std::vector<HealthReason> reasons;  // what is wrong, the worst first
};

Health judge_health(const HealthFacts& facts);

}  // namespace tbs::ctl
