#pragma once

// Who is at the other end of a link, and what that makes of them. Nothing a client says about
// itself is ever used for a decision.

#include <memory>
#include <string>

#include <sys/types.h>

#include "daemon/base/ids.h"
#include "daemon/command/requester.h"
#include "proto/rules/rules.h"

namespace tbs::server {

struct Peer {
  // The account is that of the user until it is known what the peer may do.
  Principal principal{};
  pid_t pid = 0;
  rules::Subject subject;
  rules::RoleSet roles = 0;
  bool administrator = false;
  std::string program;  // of /proc/PID/comm; may be empty
  // The same, for its commands; null until it has roles.
  std::shared_ptr<const Requester> requester;
};

// Who counts as administrator whatever the rules say: user 0, and the members of one group if it is
// named.
struct AdministratorRule {
  gid_t group = 0;
  bool has_group = false;
};

// What it may do by these rules.
void assign_roles(Peer& peer, const AdministratorRule& administrators, const rules::Rules& rules);

}  // namespace tbs::server
