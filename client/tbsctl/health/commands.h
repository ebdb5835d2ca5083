#pragma once

// The subcommand that probes ask.

#include "client/tbsctl/command_line/subcommand.h"
#include "client/tbsctl/health/health.h"

namespace tbs::ctl {

Subcommand health_subcommand();

// Prints what was found out, and gives its exit code.
Outcome report_health(const Console& console, const HealthFacts& facts);

}  // namespace tbs::ctl
