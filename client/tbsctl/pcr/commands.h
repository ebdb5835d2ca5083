#pragma once

// The subcommand that reads PCRs.

#include <vector>

#include "client/tbsctl/command_line/subcommand.h"
#include "client/tbsctl/pcr/read_pcrs.h"

namespace tbs::ctl {

Subcommand pcr_subcommand();

// Nothing selected: every bank that the TPM has.
Outcome run_pcr(Conversation& daemon, const Console& console,
                const std::vector<PcrSelection>& wanted);

}  // namespace tbs::ctl
