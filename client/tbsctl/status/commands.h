#pragma once

// Subcommands about the daemon itself.

#include <functional>

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

Subcommand status_subcommand();
Subcommand limits_subcommand();
Subcommand events_subcommand();
Subcommand restart_subcommand();

Outcome run_status(Conversation& daemon, const Console& console);
Outcome run_limits(Conversation& daemon, const Console& console);
// `send` asks the daemon for it.
Outcome run_restart(Conversation& daemon, const Console& console,
                    const std::function<Outcome()>& send);
// Becomes journalctl(1); returns only when that cannot be.
Outcome run_events(const Console& console);

}  // namespace tbs::ctl
