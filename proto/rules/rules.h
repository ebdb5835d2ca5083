#pragma once

// Which commands a client may send. Rules are data: each allows, blocks or ignores commands that
// fit all its conditions, for those who have a role; the first that fits decides, and a command
// that none fits is allowed. The administrator's rules come first, then those of the chosen
// profile.
//
// rules_parser.h reads them from text, profiles.h has the built-in ones.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tbs::rules {

// Who a client is, as the kernel tells it.
struct Subject {
  std::uint32_t uid = 0;
  std::vector<std::uint32_t> gids;
  std::string unit;    // of systemd; empty when it is in none
  std::string cgroup;  // path, with a slash in front
  std::string tenant;  // for whom the socket was made; empty for users of this machine
  // User 0, or a member of the group that the configuration names.
  bool administrator = false;
};

// Roles are numbered; the first three are always there.
inline constexpr std::size_t kEverybody = 0;
inline constexpr std::size_t kUser = 1;  // who is no administrator
inline constexpr std::size_t kAdministrator = 2;
inline constexpr std::size_t kMaxRoles = 64;

// One bit for each role that a subject has.
using RoleSet = std::uint64_t;
constexpr RoleSet role_bit(std::size_t role) {
  return RoleSet{1} << role;
}

// What makes somebody have a role.
struct RoleTerm {
  enum class Kind : std::uint8_t { Uid, Gid, Unit, Cgroup, Tenant };
  Kind kind = Kind::Uid;
  std::uint32_t number = 0;
  std::string text;
};

struct Role {
  std::string name;
  std::vector<RoleTerm> terms;  // alternatives
};

struct Range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};
using Ranges = std::vector<Range>;

// Hierarchies of a TPM 2.0, each with what limits it to a firmware.
enum class Hierarchy : std::uint8_t { Owner, Endorsement, Platform, Lockout, Null };
// One bit for each.
using HierarchySet = std::uint8_t;
constexpr HierarchySet hierarchy_bit(Hierarchy hierarchy) {
  return static_cast<HierarchySet>(1U << static_cast<unsigned>(hierarchy));
}

// Who made the NV index or persistent object that a command removes or changes.
enum class Owner : std::uint8_t { Self, Other };

// What is asked: one command of a client.
struct CommandFacts {
  RoleSet roles = 0;
  std::uint32_t command = 0;
  std::uint32_t priority = 0;
  std::uint32_t locality = 0;
  // What the command names, whether as a handle or as a parameter.
  std::vector<std::uint32_t> nv_indices;
  std::vector<std::uint32_t> persistent_handles;
  std::vector<std::uint32_t> pcrs;
  std::vector<std::uint32_t> handles;  // of any kind, those of authorizations among them
  // It may name other NV indices and PCRs, which cannot be seen.
  bool hidden = false;
  std::optional<Owner> owner;
};

// Commands that start a TPM or prepare it for the loss of power: all that can be ignored, because
// the daemon sees to it and knows what a started TPM says to them.
[[nodiscard]] bool can_be_ignored(std::uint32_t command);

struct Rule {
  bool allow = false;
  bool ignore = false;  // is not allowed, but answered as if it had been done
  std::size_t role = kEverybody;
  // Empty: any.
  Ranges commands;
  Ranges priorities;
  Ranges localities;
  Ranges nv_indices;
  Ranges persistent_handles;
  Ranges pcrs;
  Ranges handles;
  HierarchySet hierarchies = 0;
  std::optional<Owner> owner;
  RoleSet tenants = 0;  // one of these roles, too
  std::string origin;   // "FILE:LINE", or "profile NAME"
  std::string text;     // as it was written
};

enum class BlockedResponse : std::uint8_t {
  Windows,  // success with TPM_E_COMMAND_BLOCKED as the response code
  Tpm,      // as if the TPM did not know the command
};

struct Rules {
  std::vector<Role> roles = {{"everybody", {}}, {"user", {}}, {"administrator", {}}};
  std::vector<Rule> rules;
  std::string profile = "linux";
  BlockedResponse blocked_response = BlockedResponse::Windows;
  bool dry_run = false;  // say what would be blocked, and let it pass
};

struct Match {
  bool allowed = true;
  const Rule* rule = nullptr;  // null when none fits
};

[[nodiscard]] RoleSet roles_of(const Rules& rules, const Subject& subject);
[[nodiscard]] bool is_administrator(RoleSet roles);
[[nodiscard]] Match evaluate(const Rules& rules, const CommandFacts& facts);

// Whether some rule looks at what commands name, or at who made it.
[[nodiscard]] bool needs_handles(const Rules& rules);
[[nodiscard]] bool needs_owner(const Rules& rules);

}  // namespace tbs::rules
