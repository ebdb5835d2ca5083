#include "proto/rules/rules.h"

#include <algorithm>
#include <array>

#include "proto/rules/conditions.h"
#include "proto/tpm/constants.h"
#include "proto/tpm12/ordinals.h"

namespace tbs::rules {
namespace {

// A folder of control groups has those below it, too.
bool is_within(const std::string& path, const std::string& folder) {
  return path == folder ||
         (path.starts_with(folder) && (folder.ends_with('/') || path[folder.size()] == '/'));
}

// Who somebody is in a container says nothing about who they are on the machine: a tenant is the
// tenant alone.
bool fits(const RoleTerm& term, const Subject& subject) {
  if (!subject.tenant.empty() && term.kind != RoleTerm::Kind::Tenant) return false;
  switch (term.kind) {
    case RoleTerm::Kind::Uid:
      return subject.uid == term.number;
    case RoleTerm::Kind::Gid:
      return std::ranges::find(subject.gids, term.number) != subject.gids.end();
    case RoleTerm::Kind::Unit:
      return subject.unit == term.text;
    case RoleTerm::Kind::Cgroup:
      return is_within(subject.cgroup, term.text);
    case RoleTerm::Kind::Tenant:
      return subject.tenant == term.text;
  }
  return false;
}

}  // namespace

bool can_be_ignored(std::uint32_t command) {
  static constexpr std::array kCommands = {tpm::cc::kStartup, tpm::cc::kShutdown,
                                           tpm12::ord::kStartup, tpm12::ord::kSaveState};
  return std::ranges::find(kCommands, command) != kCommands.end();
}

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
    return !rule.nv_indices.empty() || !rule.persistent_handles.empty() || !rule.pcrs.empty() ||
           !rule.handles.empty() || rule.hierarchies != 0;
  });
}

bool needs_owner(const Rules& rules) {
  return std::ranges::any_of(rules.rules, [](const Rule& rule) { return rule.owner.has_value(); });
}

}  // namespace tbs::rules
