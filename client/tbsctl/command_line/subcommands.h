#pragma once

// The table of subcommands, in the order of the help.

#include <vector>

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

// Made anew by each call: the values that options are read into belong to the entries.
std::vector<Subcommand> subcommands();

}  // namespace tbs::ctl
