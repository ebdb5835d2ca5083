#pragma once

#include <cstdint>

namespace tbs {

// What is written to the log: this and what weighs more.
enum class LogLevel : std::uint8_t { Trace, Debug, Info, Warn, Error, Off };

}  // namespace tbs
