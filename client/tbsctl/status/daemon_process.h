#pragma once

// The process that listens on the daemon's socket, and whether it can be asked for a restart: it
// would die of a signal that it does not wait for.

#include <expected>
#include <string>

#include <sys/types.h>

#include "client/tbsctl/text/failure.h"

namespace tbs::ctl {

// The daemon at the socket that the user named, or at the default one. Fails when a service manager
// listens there in its place, and when it cannot be asked.
std::expected<pid_t, Failure> restartable_daemon(const std::string& socket);

// Why this process cannot be asked; nothing when it can. `proc` is its folder under /proc.
std::string why_not_restartable(pid_t process, const std::string& proc);

}  // namespace tbs::ctl
