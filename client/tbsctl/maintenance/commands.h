#pragma once

// The subcommand that lets a program have the TPM alone.

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

Subcommand maintenance_subcommand();

}  // namespace tbs::ctl
