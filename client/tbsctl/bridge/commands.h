#pragma once

// The subcommand that serves programs which know no TBS.

#include "client/tbsctl/bridge/bridge_options.h"
#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

Subcommand bridge_subcommand();

// Makes contexts of its own, on the daemon's `socket` (empty: the default). Prints where it listens
// and returns when it is told to stop.
Outcome run_bridge(const BridgeOptions& options, const std::string& socket, const Console& console);

}  // namespace tbs::ctl
