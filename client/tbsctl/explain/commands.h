#pragma once

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

Subcommand explain_subcommand();

}  // namespace tbs::ctl
