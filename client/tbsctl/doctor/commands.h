#pragma once

// The subcommand that looks for what is wrong.

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

Subcommand doctor_subcommand();

}  // namespace tbs::ctl
