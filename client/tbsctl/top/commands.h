#pragma once

// The subcommand that shows who uses the TPM, again and again.

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

Subcommand top_subcommand();

}  // namespace tbs::ctl
