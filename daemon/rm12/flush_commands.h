#pragma once

// TPM_FlushSpecific of clients, and the older commands that it has replaced. What is flushed is
// given up at once: the TPM flushes it before the next command. Each returns true when the reply is
// ready, which it always is.

#include "daemon/rm12/command_run.h"

namespace tbs::rm12 {

bool decide_flush_specific(CommandRun& run);
bool decide_evict_key(CommandRun& run);
bool decide_terminate_handle(CommandRun& run);

}  // namespace tbs::rm12
