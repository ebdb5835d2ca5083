#pragma once

// What the kernel knows of the program at the other end of a connection. For TCP that is what /proc
// tells: the peer's socket, while it is on this machine, and which process holds it, where we may
// look.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace tbs::ctl::bridge {

bool is_unix_socket(int socket);

// The process at the other end; nothing when that is not to be known.
std::optional<pid_t> peer_process(int socket);

// Whether a process of this machine still holds the other end of a TCP connection.
bool peer_is_open(int socket);

// The user at the other end, as this user namespace counts; nothing when that is not to be known.
std::optional<uid_t> peer_user(int socket);

// A socket in a table as /proc/net/tcp has it.
struct TableRow {
  std::uint32_t user = 0;
  std::uint64_t inode = 0;  // 0: no process holds it any more
};
// The one with these two ends.
std::optional<TableRow> row_in_table(std::string_view table, std::string_view local,
                                     std::string_view remote);

// An address and a port as such a table writes them.
std::string as_in_table(const void* address, std::size_t size, std::uint16_t port);

}  // namespace tbs::ctl::bridge
