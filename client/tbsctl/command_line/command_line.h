#pragma once

// Reads the command line of tbsctl by the table of subcommands.

#include <expected>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "client/tbsctl/command_line/subcommand.h"
#include "client/tbsctl/text/terminal.h"

namespace tbs::ctl {

struct CommandLine {
  bool json = false;
  ColourChoice colours = ColourChoice::Auto;
  std::string socket;     // that the user named; empty: the default
  std::string title;      // "cancel", "policy check"
  Subcommand subcommand;  // with its options read; of "policy check" it is "check"
};

// What every subcommand takes, too. They are read into `line`.
std::vector<Option> global_options(CommandLine& line);

// Nothing when the help or the version was asked for: it is printed to `out` then.
std::expected<std::optional<CommandLine>, Failure> parse_command_line(int argc,
                                                                      const char* const* argv,
                                                                      std::ostream& out);

}  // namespace tbs::ctl
