#pragma once

// Who is at the other end of a socket, as the kernel tells it about the moment of connecting.
// Nothing a client says about itself is ever used for a decision.
//
// User and groups are the kernel's record of who connected and cannot be wrong. Unit and control
// group belong to the process and are read from /proc: a descriptor of the process (SO_PEERPIDFD,
// Linux 6.5; else pidfd_open) says afterwards that it has been the same process all the time. Where
// neither can be had, the process counts as being in no unit.

#include <expected>
#include <string>

#include <sys/types.h>

#include "daemon/base/ids.h"
#include "daemon/policy/rules.h"

namespace tbs::server {

struct Peer {
  UserId user{};
  pid_t pid = 0;
  policy::Subject subject;
  policy::RoleSet roles = 0;
  bool administrator = false;
  std::string program;  // of /proc/PID/comm; may be empty
};

// Who counts as administrator whatever the rules say: user 0, and the members of one group if it is
// named.
struct AdministratorRule {
  gid_t group = 0;
  bool has_group = false;
};

// The peer of a connected Unix socket, or the errno value of the failure. Its roles are not known
// yet.
std::expected<Peer, int> peer_of(int socket);

// What it may do by these rules.
void assign_roles(Peer& peer, const AdministratorRule& administrators, const policy::Rules& rules);

}  // namespace tbs::server
