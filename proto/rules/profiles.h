#pragma once

// The built-in rules, in the language of rules_parser.h.

#include <optional>
#include <string_view>

namespace tbs::rules {

// "linux", "windows" or "none"; nothing for another name.
std::optional<std::string_view> profile_text(std::string_view name);

}  // namespace tbs::rules
