#pragma once

// Subcommands about the daemon itself.

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

Subcommand status_subcommand();
Subcommand limits_subcommand();
Subcommand events_subcommand();

Outcome run_status(Conversation& daemon, const Console& console);
Outcome run_limits(Conversation& daemon, const Console& console);
// Becomes journalctl(1); returns only when that cannot be.
Outcome run_events(const Console& console);

}  // namespace tbs::ctl
