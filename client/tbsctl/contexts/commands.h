#pragma once

// Subcommands about contexts.

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

Subcommand contexts_subcommand();
Subcommand cancel_subcommand();

Outcome run_contexts(Conversation& daemon, const Console& console);
Outcome run_cancel(Conversation& daemon, const Console& console, std::uint64_t context);

}  // namespace tbs::ctl
