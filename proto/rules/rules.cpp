#include "proto/rules/rules.h"

#include <algorithm>

namespace tbs::rules {
namespace {

bool contains(const Ranges& ranges, std::uint32_t value) {
  return std::ranges::any_of(
      ranges, [value](const Range& range) { return value >= range.first && value <= range.last; });
}

bool fits(const Ranges& ranges, std::uint32_t value) {
  return ranges.empty() || contains(ranges, value);
}

bool fits_one(const Ranges& ranges, const std::vector<std::uint32_t>& values) {
  return ranges.empty() ||
         std::ranges::any_of(values, [&](std::uint32_t value) { return contains(ranges, value); });
}

// A folder of control groups has those below it, too.
bool is_within(const std::string& path, const std::string& folder) {
  return path == folder ||
         (path.starts_with(folder) && (folder.ends_with('/') || path[folder.size()] == '/'));
}

bool fits(const RoleTerm& term, const Subject& subject) {
  switch (term.kind) {
    case RoleTerm::Kind::Uid:
      return subject.uid == term.number;
    case RoleTerm::Kind::Gid:
      return std::ranges::find(subject.gids, term.number) != subject.gids.end();
    case RoleTerm::Kind::Unit:
      return subject.unit == term.text;
    case RoleTerm::Kind::Cgroup:
      return is_within(subject.cgroup, term.text);
  }
  return false;
}

bool fits(const Rule& rule, const CommandFacts& facts) {
  return (facts.roles & role_bit(rule.role)) != 0 && fits(rule.commands, facts.command) &&
         fits(rule.priorities, facts.priority) && fits(rule.localities, facts.locality) &&
         fits_one(rule.nv_indices, facts.nv_indices) &&
         fits_one(rule.persistent_handles, facts.persistent_handles) &&
         fits_one(rule.pcrs, facts.pcrs);
}

}  // namespace

RoleSet roles_of(const Rules& rules, const Subject& subject) {
  RoleSet roles = role_bit(kEverybody);
  for (std::size_t role = kAdministrator; role < rules.roles.size(); ++role) {
    const auto& terms = rules.roles[role].terms;
    if (std::ranges::any_of(terms, [&](const RoleTerm& term) { return fits(term, subject); })) {
      roles |= role_bit(role);
    }
  }
  if (subject.administrator) roles |= role_bit(kAdministrator);
  if (!is_administrator(roles)) roles |= role_bit(kUser);
  return roles;
}

bool is_administrator(RoleSet roles) {
  return (roles & role_bit(kAdministrator)) != 0;
}

Match evaluate(const Rules& rules, const CommandFacts& facts) {
  const auto rule = std::ranges::find_if(
      rules.rules, [&](const Rule& candidate) { return fits(candidate, facts); });
  if (rule == rules.rules.end()) return {};
  return {.allowed = rule->allow, .rule = &*rule};
}

bool needs_handles(const Rules& rules) {
  return std::ranges::any_of(rules.rules, [](const Rule& rule) {
    return !rule.nv_indices.empty() || !rule.persistent_handles.empty() || !rule.pcrs.empty();
  });
}

}  // namespace tbs::rules
