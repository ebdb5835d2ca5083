#pragma once

// Which priority a client may use. Any number is accepted, as programs written for Windows pass any
// number; users without the administrator role are capped at HIGH, silently.

#include <algorithm>
#include <cstdint>

namespace tbs::policy {

inline constexpr std::uint32_t kPriorityHigh = 300;  // TBS_COMMAND_PRIORITY_HIGH

constexpr std::uint32_t cap_priority(std::uint32_t wanted, bool administrator) {
  return administrator ? wanted : std::min(wanted, kPriorityHigh);
}

}  // namespace tbs::policy
