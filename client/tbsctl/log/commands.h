#pragma once

// The subcommand that shows the event log.

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

Subcommand log_subcommand();

}  // namespace tbs::ctl
