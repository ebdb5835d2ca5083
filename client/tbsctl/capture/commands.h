#pragma once

// The subcommand that shows what clients and the TPM say to each other.

#include <cstdint>
#include <string>

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

Subcommand capture_subcommand();

struct CaptureOptions {
  std::uint64_t context = 0;  // 0: all
  std::string file;           // "-": standard output; empty: lines for people
  std::uint64_t count = 0;    // end after so many exchanges; 0: when interrupted
  bool secrets = false;
  bool utc = false;  // times of lines, not in the local time zone
};
Outcome run_capture(Conversation& daemon, const Console& console, const CaptureOptions& options);

}  // namespace tbs::ctl
