#pragma once

// Who is at the other end of a link, and what that makes of them. Nothing a client says about
// itself is ever used for a decision.

#include <memory>
#include <string>

#include <sys/types.h>

#include "daemon/base/ids.h"
#include "daemon/command/requester.h"
#include "daemon/server/socket_profile.h"
#include "proto/rules/rules.h"

namespace tbs::server {

struct Peer {
  // The socket that it came through.
  SharedProfile socket = everybodys_profile();
  // Who it is; once it has roles, for whom it works.
  Principal principal{};
  pid_t pid = 0;
  rules::Subject subject;
  rules::RoleSet roles = 0;
  bool administrator = false;
  std::string program;  // of /proc/PID/comm; may be empty
  // The same, for its commands; null until it has roles.
  std::shared_ptr<const Requester> requester;
};

// Who counts as administrator on the administrators' socket, whatever the rules say: user 0, and
// the members of one group if it is named.
struct AdministratorRule {
  gid_t group = 0;
  bool has_group = false;
  // The TPM is a tenant's own. For the rules on commands the tenant is its administrator; of the
  // daemon it never is.
  bool tenant_owns_tpm = false;
};

// Whom it stands for, and what it may do by its socket and these rules.
void assign_roles(Peer& peer, const AdministratorRule& administrators, const rules::Rules& rules);

}  // namespace tbs::server
