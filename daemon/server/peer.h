#pragma once

// Who is at the other end of a socket, as the kernel tells it at the moment of connecting. Nothing
// a client says about itself is ever used for a decision.

#include <expected>
#include <string>

#include <sys/types.h>

#include "daemon/base/ids.h"

namespace tbs::server {

struct Peer {
  UserId user{};
  pid_t pid = 0;
  bool administrator = false;
  std::string program;  // of /proc/PID/comm; may be empty
};

// Who counts as administrator: user 0, and the members of one group if it is named.
struct AdministratorRule {
  gid_t group = 0;
  bool has_group = false;
};

// The peer of a connected Unix socket, or the errno value of the failure.
std::expected<Peer, int> peer_of(int socket, const AdministratorRule& rule);

}  // namespace tbs::server
