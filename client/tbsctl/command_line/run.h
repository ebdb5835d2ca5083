#pragma once

// Runs what a command line says.

#include "client/tbsctl/command_line/command_line.h"

namespace tbs::ctl {

// Prepares, connects to tbsd as the subcommand needs it, and runs. The message of a failure is
// complete: it says what to do where there is something.
Outcome run_command_line(const CommandLine& line, std::ostream& out, std::ostream& notes);

}  // namespace tbs::ctl
