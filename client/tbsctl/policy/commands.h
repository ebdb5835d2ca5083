#pragma once

// The subcommand that checks and explains rules.

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

Subcommand policy_subcommand();

}  // namespace tbs::ctl
