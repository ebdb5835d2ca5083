#pragma once

#include <string>

namespace tbs::host {

// Sends the log to the journal when standard error is connected to it, else to standard error.
void set_up_log();
// One of the names of --log-level.
void set_log_level(const std::string& level);

}  // namespace tbs::host
