#pragma once

// Reads rules from text. One statement to a line; what follows a # is a comment:
//
//   profile linux | windows | none
//   answer windows | tpm
//   dry-run yes | no
//   role NAME = TERM, ...          TERM: uid N | gid N | unit NAME | cgroup /PATH | tenant NAME
//   allow | block | ignore ROLE CONDITION ...
//
//   CONDITION: command, priority, locality, nv, persistent, pcr, handle, each with a LIST;
//   hierarchy and tenant with names; owner self | other. LIST: names of commands, numbers and
//   ranges (0x100-0x1ff, 300-), with commas and no blanks.
//
// The text may come from anybody's editor: it is bounded (kMaxText, kMaxRules, ...), and the first
// thing that is wrong with it is told with its line.

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "proto/rules/rules.h"

namespace tbs::rules {

inline constexpr std::size_t kMaxText = 65536;  // of one file
inline constexpr std::size_t kMaxRules = 1000;
inline constexpr std::size_t kMaxRanges = 256;  // of one condition
inline constexpr std::size_t kMaxTerms = 64;    // of one role

struct Source {
  std::string name;  // what errors and origins call it
  std::string text;
};

// What is wrong, and where: "FILE:LINE: TEXT".
using ParseError = std::string;

// All files, in their order, and then the profile that they choose.
std::expected<Rules, ParseError> parse_rules(std::span<const Source> sources);

// A list of numbers and ranges, or of commands' names.
std::expected<Ranges, std::string> parse_ranges(std::string_view text, bool commands);

}  // namespace tbs::rules
