#include "daemon/server/peer.h"

#include <algorithm>

namespace tbs::server {
namespace {

rules::RoleSet as_user(rules::RoleSet roles) {
  return (roles & ~rules::role_bit(rules::kAdministrator)) | rules::role_bit(rules::kUser);
}

// None where the rules have no such role, or it is one that everybody has or nobody is given.
rules::RoleSet further_role(const rules::Rules& rules, const std::string& name) {
  for (std::size_t role = rules::kAdministrator + 1; role < rules.roles.size(); ++role) {
    if (rules.roles[role].name == name) return rules::role_bit(role);
  }
  return 0;
}

rules::RoleSet roles_of(const Peer& peer, const rules::Rules& rules) {
  const SocketProfile& socket = *peer.socket;
  const rules::RoleSet roles =
      rules::roles_of(rules, peer.subject) | further_role(rules, socket.role);
  return socket.highest == HighestRole::Administrator ? roles : as_user(roles);
}

// What its commands are judged by.
rules::RoleSet command_roles(const Peer& peer, const AdministratorRule& administrators) {
  if (!administrators.tenant_owns_tpm || !peer.socket->speaks_for()) return peer.roles;
  return (peer.roles & ~rules::role_bit(rules::kUser)) | rules::role_bit(rules::kAdministrator);
}

void settle_principal(Peer& peer) {
  if (const auto tenant = peer.socket->speaks_for()) {
    peer.principal = principal_of(*tenant);
  } else if (peer.administrator) {
    peer.principal.account = administrators_account(peer.principal.user);
  }
}

}  // namespace

void assign_roles(Peer& peer, const AdministratorRule& administrators, const rules::Rules& rules) {
  const auto& gids = peer.subject.gids;
  peer.subject.administrator =
      peer.socket->highest == HighestRole::Administrator &&
      (peer.subject.uid == 0 ||
       (administrators.has_group && std::ranges::find(gids, administrators.group) != gids.end()));
  peer.subject.tenant = peer.socket->tenant;
  peer.roles = roles_of(peer, rules);
  peer.administrator = rules::is_administrator(peer.roles);
  // Once: what is counted by then must be given back to the same account.
  if (peer.requester == nullptr) settle_principal(peer);
  peer.requester = std::make_shared<const Requester>(
      Requester{.account = peer.principal.account,
                .user = peer.principal.user,
                .groups = peer.subject.gids,
                .process = Process{.id = peer.pid, .program = peer.program},
                .roles = command_roles(peer, administrators)});
}

}  // namespace tbs::server
