#include "proto/rules/conditions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "proto/command_names.h"
#include "proto/tpm/constants.h"

namespace tbs::rules {
namespace {

using Numbers = std::vector<std::uint32_t>;

// In the order of Hierarchy.
constexpr std::array kHierarchyNames = {std::string_view("owner"), std::string_view("endorsement"),
                                        std::string_view("platform"), std::string_view("lockout"),
                                        std::string_view("null")};

constexpr std::array kHierarchies = {tpm::kRhOwner, tpm::kRhEndorsement, tpm::kRhPlatform,
                                     tpm::kRhLockout, tpm::kRhNull};

bool contains(const Ranges& ranges, std::uint32_t value) {
  return std::ranges::any_of(
      ranges, [value](const Range& range) { return value >= range.first && value <= range.last; });
}

bool fits(const Ranges& ranges, std::uint32_t value) {
  return ranges.empty() || contains(ranges, value);
}

bool fits_one(const Ranges& ranges, const Numbers& values) {
  return ranges.empty() ||
         std::ranges::any_of(values, [&](std::uint32_t value) { return contains(ranges, value); });
}

// What cannot be seen is not allowed by what it might be, but blocked.
bool fits_hidden(const Rule& rule, const Ranges& ranges, const CommandFacts& facts,
                 const Numbers& values) {
  return (facts.hidden && !rule.allow) || fits_one(ranges, values);
}

std::optional<Hierarchy> named_hierarchy(const Rule& rule, const CommandFacts& facts) {
  for (const std::uint32_t handle : facts.handles) {
    const auto hierarchy = hierarchy_of(handle);
    if (hierarchy && (rule.hierarchies & hierarchy_bit(*hierarchy)) != 0) return hierarchy;
  }
  return std::nullopt;
}

// All but what the command names.
bool fits_kind(const Rule& rule, const CommandFacts& facts) {
  return (facts.roles & role_bit(rule.role)) != 0 &&
         (rule.tenants == 0 || (facts.roles & rule.tenants) != 0) &&
         fits(rule.commands, facts.command) && fits(rule.priorities, facts.priority) &&
         fits(rule.localities, facts.locality);
}

bool fits_names(const Rule& rule, const CommandFacts& facts) {
  return fits_hidden(rule, rule.nv_indices, facts, facts.nv_indices) &&
         fits_one(rule.persistent_handles, facts.persistent_handles) &&
         fits_hidden(rule, rule.pcrs, facts, facts.pcrs) && fits_one(rule.handles, facts.handles) &&
         (rule.hierarchies == 0 || named_hierarchy(rule, facts).has_value()) &&
         (!rule.owner || rule.owner == facts.owner);
}

std::string hex(std::uint32_t value) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return "0x" + std::string(digits.data(), end);
}

std::string command_text(std::uint32_t command) {
  const std::string_view name = proto::command_name(command);
  return name.empty() ? hex(command) : std::string(name);
}

class Reasons {
 public:
  void add(std::string_view condition, const std::string& value) {
    list_.push_back(std::string(condition) + " " + value);
  }
  void add(std::string condition) { list_.push_back(std::move(condition)); }
  // The first of the values that the condition is about.
  void add_named(std::string_view condition, const Ranges& ranges, const Numbers& values,
                 bool as_hex) {
    if (ranges.empty()) return;
    const auto found =
        std::ranges::find_if(values, [&](std::uint32_t value) { return contains(ranges, value); });
    if (found == values.end()) return add(condition, "that cannot be seen");
    add(condition, as_hex ? hex(*found) : std::to_string(*found));
  }
  std::vector<std::string> take() { return std::move(list_); }

 private:
  std::vector<std::string> list_;
};

}  // namespace

std::string_view name_of(Hierarchy hierarchy) {
  return kHierarchyNames.at(static_cast<std::size_t>(hierarchy));
}

std::optional<Hierarchy> hierarchy_named(std::string_view name) {
  const auto* const found = std::ranges::find(kHierarchyNames, name);
  if (found == kHierarchyNames.end()) return std::nullopt;
  return static_cast<Hierarchy>(found - kHierarchyNames.begin());
}

std::optional<Hierarchy> hierarchy_of(std::uint32_t handle) {
  const auto* const found = std::ranges::find(kHierarchies, tpm::hierarchy_of(handle));
  if (found == kHierarchies.end()) return std::nullopt;
  return static_cast<Hierarchy>(found - kHierarchies.begin());
}

std::uint32_t handle_of(Hierarchy hierarchy) {
  return kHierarchies.at(static_cast<std::size_t>(hierarchy));
}

std::string_view name_of(Owner owner) {
  return owner == Owner::Self ? "self" : "other";
}

bool fits(const Rule& rule, const CommandFacts& facts) {
  return fits_kind(rule, facts) && fits_names(rule, facts);
}

std::vector<std::string> reasons(const Rules& rules, const Rule& rule, const CommandFacts& facts) {
  Reasons found;
  if (!rule.commands.empty()) found.add("command", command_text(facts.command));
  if (!rule.priorities.empty()) found.add("priority", std::to_string(facts.priority));
  if (!rule.localities.empty()) found.add("locality", std::to_string(facts.locality));
  found.add_named("nv", rule.nv_indices, facts.nv_indices, true);
  found.add_named("persistent", rule.persistent_handles, facts.persistent_handles, true);
  found.add_named("pcr", rule.pcrs, facts.pcrs, false);
  found.add_named("handle", rule.handles, facts.handles, true);
  if (const auto hierarchy = named_hierarchy(rule, facts)) {
    found.add("hierarchy", std::string(name_of(*hierarchy)));
  }
  if (rule.owner) found.add("owner", std::string(name_of(*rule.owner)));
  for (std::size_t role = 0; role < rules.roles.size(); ++role) {
    if ((rule.tenants & facts.roles & role_bit(role)) != 0) found.add(rules.roles[role].name);
  }
  return found.take();
}

std::vector<const Rule*> near_misses(const Rules& rules, const CommandFacts& facts) {
  const Match match = evaluate(rules, facts);
  std::vector<const Rule*> missed;
  for (const Rule& rule : rules.rules) {
    if (&rule == match.rule) break;
    if (rule.commands.empty() || rule.allow == match.allowed) continue;
    if (fits_kind(rule, facts)) missed.push_back(&rule);
  }
  return missed;
}

}  // namespace tbs::rules
