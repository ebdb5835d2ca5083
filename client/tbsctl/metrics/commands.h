#pragma once

// The daemon's metrics, as its HTTP socket gives them.

#include <string>

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

Subcommand metrics_subcommand();

// Where a daemon with this socket has its metrics by default; empty: the only daemon.
std::string metrics_socket_beside(const std::string& socket);

}  // namespace tbs::ctl
