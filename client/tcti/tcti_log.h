#pragma once

// What the module has to say to people, on standard error, in the form and by the rules of
// tpm2-tss: the environment variable TSS2_LOG ("all+none", "tcti+debug", several joined by commas)
// says from which level on; without it, warnings and errors are shown.

#include <cstdint>
#include <string_view>

namespace tbs::tcti {

enum class LogLevel : std::uint8_t { None, Error, Warning, Info, Debug };

// The level that a value of TSS2_LOG sets for the module "tcti".
LogLevel log_level_of(std::string_view setting);

void log(LogLevel level, std::string_view text);

}  // namespace tbs::tcti
