#pragma once

// Where the daemon's socket is: what the caller names, else what the process has chosen, else
// TBS_SOCKET from the environment, else one of two fixed places: the administrators' socket for who
// may open it, and everybody's. The environment does not count in a program that runs with more
// rights than its caller (set-user-ID and the like).

#include <string>
#include <string_view>

namespace tbs::client {

inline constexpr std::string_view kAdminSocket = "/run/tbs/admin.sock";
inline constexpr std::string_view kDefaultSocket = "/run/tbs/tbsd.sock";

// True when a socket can have this path: not empty, no zero byte, at most 107 bytes.
bool is_socket_path(std::string_view path);

// The administrators' socket if it is there and this process may connect to it, else everybody's.
std::string socket_with_most_rights(std::string_view admin = kAdminSocket,
                                    std::string_view everybodys = kDefaultSocket);

// Chooses the path for all connections of this process that name none; empty: none chosen.
void choose_process_socket(std::string_view path);

// The path that somebody has chosen: `named` itself, or for an empty one what the process or the
// environment says. Empty when nobody has, and one of the two fixed places is meant.
std::string chosen_socket(std::string_view named = {});

// The path to connect to; `named` is the caller's own choice, or empty.
std::string socket_path(std::string_view named = {});

}  // namespace tbs::client
