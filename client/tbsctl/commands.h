#pragma once

// The subcommands, one file each. All take a conversation that has greeted the daemon with the role
// they need, print to the console, and return why they failed.

#include <expected>

#include "client/tbsctl/console.h"
#include "client/tbsctl/conversation.h"
#include "client/tbsctl/failure.h"
#include "proto/byte_reader.h"

namespace tbs::ctl {

using Outcome = std::expected<void, Failure>;

// Role Observer.
Outcome run_info(Conversation& daemon, const Console& console);
Outcome run_status(Conversation& daemon, const Console& console);
Outcome run_contexts(Conversation& daemon, const Console& console);
Outcome run_cancel(Conversation& daemon, const Console& console, std::uint64_t context);

struct SubmitRequest {
  proto::Buffer command;  // a whole TPM command, checked by read_command()
  std::uint32_t priority = 0;
  std::uint32_t locality = 0;
  bool raw = false;  // print the response as bytes instead of hex
};

// Role Context.
Outcome run_submit(Conversation& daemon, const Console& console, const SubmitRequest& request);
Outcome run_random(Conversation& daemon, const Console& console, std::uint64_t count, bool raw);

}  // namespace tbs::ctl
