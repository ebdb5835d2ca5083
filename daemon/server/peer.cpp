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
  peer.requester = std::make_shared<const Requester>(
      Requester{.account = account_of(peer.user),
                .user = peer.user,
                .groups = peer.subject.gids,
                .process = Process{.id = peer.pid, .program = peer.program},
                .roles = peer.roles});
}

}  // namespace tbs::server
