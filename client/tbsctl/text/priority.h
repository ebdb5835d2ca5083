#pragma once

// The priorities TBS has names for; any other unsigned number is one too.

#include <cstdint>
#include <optional>
#include <string_view>

namespace tbs::ctl {

inline constexpr std::uint32_t kPriorityNormal = 200;

// "low" for 100 and so on; nothing for a number without a name.
std::optional<std::string_view> priority_name(std::uint32_t priority);

// A name, or a number in decimal or (after 0x) hexadecimal; nothing when it is neither.
std::optional<std::uint32_t> parse_priority(std::string_view text);

}  // namespace tbs::ctl
