#pragma once

#include <string>
#include <string_view>

#include "daemon/base/log_level.h"

namespace tbs::host {

// Without what could steer a terminal; ends of lines stay.
[[nodiscard]] std::string harmless_lines(std::string_view text);

// Sends the log to the journal when standard error is connected to it, else to standard error.
void set_up_log();
void set_log_level(LogLevel level);

}  // namespace tbs::host
