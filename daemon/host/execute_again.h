#pragma once

// A restart without a service manager: the process executes its program, which may be a newer one
// by now, and keeps its descriptors. The program finds them as it finds those of a service manager
// (sd_listen_fds(3), inherited_descriptors).

#include <string>
#include <vector>

#include "daemon/host/inherited_descriptors.h"

namespace tbs::host {

// The exit status that asks a service manager which keeps descriptors to start the daemon again:
// EX_TEMPFAIL of sysexits.h.
inline constexpr int kRestartExitStatus = 75;

// Which program to execute: the path that this one was started with, or where it was found. To be
// asked at the start, while the program is still there under its name.
std::string program_path(const char* started_as);

// `arguments` are those behind the program's name. Returns only when it failed, with the reason;
// then everything is as it was, and the daemon can go on. No other descriptor gets to the new
// program, however it was opened. Signals that ask the daemon for something (SIGHUP, SIGUSR2) are
// ignored until the new program listens for them: it would die of them.
std::string execute_again(const std::string& program, const std::vector<std::string>& arguments,
                          const std::vector<NamedDescriptor>& descriptors);

}  // namespace tbs::host
