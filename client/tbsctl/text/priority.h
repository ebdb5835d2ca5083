#pragma once

// The priorities TBS has names for; any other unsigned number is one too.

#include <cstdint>
#include <optional>
#include <string_view>

#include "client/tbsctl/text/named.h"

namespace tbs::ctl {

inline constexpr std::uint32_t kPriorityNormal = 200;
inline constexpr std::uint32_t kPriorityHigh = 300;

// TBS_COMMAND_PRIORITY_* of tbs.h.
inline constexpr Names<std::uint32_t, 5> kPriorities = {{
    {100, "low"},
    {kPriorityNormal, "normal"},
    {kPriorityHigh, "high"},
    {400, "system"},
    {0x80000000U, "max"},
}};

// "low" for 100 and so on; nothing for a number without a name.
std::optional<std::string_view> priority_name(std::uint32_t priority);

// A name, or a number in decimal or (after 0x) hexadecimal; nothing when it is neither.
std::optional<std::uint32_t> parse_priority(std::string_view text);

}  // namespace tbs::ctl
