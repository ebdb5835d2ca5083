#pragma once

// The rules in a folder: its files NAME.conf in alphabetical order. Reads files, so not to be
// called from the event loop.

#include <expected>
#include <string>

#include "proto/rules/rules_parser.h"

namespace tbs::rules {

inline constexpr std::size_t kMaxRuleFiles = 64;
inline constexpr const char* kRuleFolder = "/etc/tbs/policy.d";

// A folder that is not there has no rules in it: then it is the default profile that counts.
std::expected<Rules, ParseError> read_rules(const std::string& folder);

}  // namespace tbs::rules
