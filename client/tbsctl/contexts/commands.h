#pragma once

// Subcommands about contexts.

#include "client/tbsctl/command_line/subcommand.h"
#include "client/tbsctl/contexts/context_order.h"

namespace tbs::ctl {

Subcommand contexts_subcommand();
Subcommand cancel_subcommand();

Outcome run_contexts(Conversation& daemon, const Console& console,
                     ContextOrder order = ContextOrder::Context);
// What one of them holds.
Outcome run_context(Conversation& daemon, const Console& console, std::uint64_t context);
Outcome cancel_context(Conversation& daemon, std::uint64_t context, client::Deadline deadline);
Outcome run_cancel(Conversation& daemon, const Console& console, std::uint64_t context);
// All contexts of this process.
Outcome run_cancel_process(Conversation& daemon, const Console& console, std::uint32_t pid);

}  // namespace tbs::ctl
