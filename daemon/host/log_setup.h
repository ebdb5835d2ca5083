#pragma once

#include "daemon/base/log_level.h"

namespace tbs::host {

// Sends the log to the journal when standard error is connected to it, else to standard error.
void set_up_log();
void set_log_level(LogLevel level);

}  // namespace tbs::host
