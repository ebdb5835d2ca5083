#pragma once

// The logs and how the PCRs of the TPM compare with them, printed.

#include <expected>
#include <string>
#include <vector>

#include "client/tbsctl/log/event_log.h"
#include "client/tbsctl/log/later_log.h"
#include "client/tbsctl/log/replay.h"
#include "client/tbsctl/text/console.h"
#include "client/tbsctl/text/failure.h"

namespace tbs::ctl {

// Which of the later records are of one log.
struct LaterPart {
  std::string format;
  std::size_t first = 0;
  std::size_t count = 0;
  std::string fault;
};

struct LogReport {
  EventLog log;
  std::vector<LaterRecord> later;  // their numbers follow those of the log's events
  std::vector<LaterPart> later_parts;
  std::vector<Comparison> pcrs;
  bool compared = false;  // with those of a TPM

  void add(LaterLog added);
};

void print_report(const Console& console, const LogReport& report);

// Fails when a log is damaged, or a PCR is not what the logs make of it: the first one is named.
std::expected<void, Failure> verdict(const LogReport& report);

}  // namespace tbs::ctl
