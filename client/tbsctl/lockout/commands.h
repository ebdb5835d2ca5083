#pragma once

// The subcommand about dictionary attack protection.

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

Subcommand lockout_subcommand();

// Needs a context: the TPM is asked as well.
Outcome run_lockout(Conversation& daemon, const Console& console);
// `uid` proto::kNobody: of all users.
Outcome run_lockout_reset(Conversation& daemon, const Console& console, std::uint32_t uid);

}  // namespace tbs::ctl
