#pragma once

// Subcommands about the daemon itself.

#include <functional>
#include <string>
#include <vector>

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

struct EventOptions {
  bool follow = false;
  bool journal = false;
  bool utc = false;
  std::vector<std::string> names;  // empty: all
};
Outcome run_events(Conversation& daemon, const Console& console, const EventOptions& options);

}  // namespace tbs::ctl
