#pragma once

// The conditions of one rule, held against one command: whether all of them hold, and which part of
// the command each of them is about.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/rules/rules.h"

namespace tbs::rules {

// In the words of a rule.
std::string_view name_of(Hierarchy hierarchy);
std::optional<Hierarchy> hierarchy_named(std::string_view name);
std::optional<Hierarchy> hierarchy_of(std::uint32_t handle);
std::uint32_t handle_of(Hierarchy hierarchy);
std::string_view name_of(Owner owner);

[[nodiscard]] bool fits(const Rule& rule, const CommandFacts& facts);

// What made this one of the rules, which fits, fit: "command PCR_Extend", "pcr 7".
[[nodiscard]] std::vector<std::string> reasons(const Rules& rules, const Rule& rule,
                                               const CommandFacts& facts);

// The rules about this command that would decide otherwise if it named something else: they come
// before the one that decides, and fit but for what it names and who made that.
[[nodiscard]] std::vector<const Rule*> near_misses(const Rules& rules, const CommandFacts& facts);

}  // namespace tbs::rules
