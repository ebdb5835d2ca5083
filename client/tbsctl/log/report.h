#pragma once

// An event log and how the PCRs of the TPM compare with it, printed.

#include <expected>
#include <vector>

#include "client/tbsctl/log/event_log.h"
#include "client/tbsctl/log/replay.h"
#include "client/tbsctl/text/console.h"
#include "client/tbsctl/text/failure.h"

namespace tbs::ctl {

struct LogReport {
  EventLog log;
  std::vector<Comparison> pcrs;
  bool compared = false;  // with those of a TPM
};

void print_report(const Console& console, const LogReport& report);

// Fails when the log is damaged, or a PCR is not what the log makes of it: the first one is named.
std::expected<void, Failure> verdict(const LogReport& report);

}  // namespace tbs::ctl
