#pragma once

// The TPM as tbsd has it: its health, who is locked out and for how long, and whether its PCRs are
// what the event log makes of them.

#include <optional>
#include <string>
#include <vector>

#include "client/tbsctl/doctor/finding.h"
#include "client/tbsctl/health/health.h"

namespace tbs::ctl {

struct LockedUser {
  std::string name;
  std::uint32_t failures = 0;
  std::uint32_t seconds = 0;  // until the oldest failure is forgotten
};

struct TpmFacts {
  HealthFacts health;
  std::vector<LockedUser> locked;  // all, for an administrator; else the user who asks
  std::string lockout_unseen;      // why they cannot be told; empty when they can
};

Findings check_tpm(const TpmFacts& facts);
Findings check_lockout(const TpmFacts& facts);

struct MeasurementFacts {
  std::string unseen;      // why log or PCRs could not be read; empty when they could
  std::size_t events = 0;  // of the log
  std::size_t pcrs = 0;    // that were compared
  std::string difference;  // the first one, in words; empty when there is none
  // Whether it is of a PCR that others extend, too, whose measurements are in other logs.
  bool by_right = false;
};

Findings check_measurements(const MeasurementFacts& facts);

}  // namespace tbs::ctl
