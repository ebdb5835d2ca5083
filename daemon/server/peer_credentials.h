#pragma once

// Who is at the other end of a socket, as the kernel tells it about the moment of connecting.
//
// User and groups are the kernel's record of who connected and cannot be wrong. Unit and control
// group belong to the process and are read from /proc: a descriptor of the process (SO_PEERPIDFD,
// Linux 6.5; else pidfd_open) says afterwards that it has been the same process all the time. Where
// neither can be had, the process counts as being in no unit.

#include <expected>

#include "daemon/server/account_finder.h"
#include "daemon/server/peer.h"
#include "proto/opener.h"

namespace tbs::server {

// The user who connected this Unix socket, or the errno value of the failure.
std::expected<UserId, int> user_of_peer(int socket);

// The peer of a connected Unix socket, or the errno value of the failure. Its roles are not known
// yet.
std::expected<Peer, int> peer_of(int socket, AccountFinder& accounts);

// Who opened the node of a service that speaks for them. It waits in open() until the service has
// its answer, so the process is what the number says as long as anybody can send a command for it.
// Its roles are not known yet.
std::expected<Peer, int> peer_of(const proto::Opener& opener, AccountFinder& accounts);

}  // namespace tbs::server
