#include "daemon/server/peer.h"

#include <algorithm>

namespace tbs::server {

void assign_roles(Peer& peer, const AdministratorRule& administrators, const policy::Rules& rules) {
  const auto& gids = peer.subject.gids;
  peer.subject.administrator =
      peer.subject.uid == 0 ||
      (administrators.has_group && std::ranges::find(gids, administrators.group) != gids.end());
  peer.roles = policy::roles_of(rules, peer.subject);
  peer.administrator = policy::is_administrator(peer.roles);
}

}  // namespace tbs::server
