#pragma once

// The subcommand for the firmware's physical presence interface.

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

Subcommand ppi_subcommand();

}  // namespace tbs::ctl
