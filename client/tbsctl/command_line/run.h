#pragma once

// Runs what a command line says.

#include "client/tbsctl/command_line/command_line.h"

namespace tbs::ctl {

// Prepares, connects to tbsd as the subcommand needs it, and runs. The message of a failure is
// complete: it says what to do where there is something.
struct Output {
  std::ostream& text;
  std::ostream& bytes;
  std::ostream& notes;
};

Outcome run_command_line(const CommandLine& line, const Output& output);

}  // namespace tbs::ctl
