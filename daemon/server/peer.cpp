#include "daemon/server/peer.h"

#include <algorithm>

namespace tbs::server {

void assign_roles(Peer& peer, const AdministratorRule& administrators, const rules::Rules& rules) {
  const auto& gids = peer.subject.gids;
  peer.subject.administrator =
      peer.subject.uid == 0 ||
      (administrators.has_group && std::ranges::find(gids, administrators.group) != gids.end());
  peer.roles = rules::roles_of(rules, peer.subject);
  peer.administrator = rules::is_administrator(peer.roles);
  // Once: what is counted by then must be given back to the same account.
  if (peer.requester == nullptr && peer.administrator) {
    peer.principal.account = administrators_account(peer.principal.user);
  }
  peer.requester = std::make_shared<const Requester>(
      Requester{.account = peer.principal.account,
                .user = peer.principal.user,
                .groups = peer.subject.gids,
                .process = Process{.id = peer.pid, .program = peer.program},
                .roles = peer.roles});
}

}  // namespace tbs::server
