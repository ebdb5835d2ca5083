#include "client/tbsctl/bridge/peer.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "client/tbsctl/text/number.h"

namespace tbs::ctl::bridge {
namespace {

namespace fs = std::filesystem;

// Columns of the table: number, local end, remote end, state, queues, timer, retransmits, user,
// timeout, inode.
constexpr std::size_t kLocal = 1;
constexpr std::size_t kRemote = 2;
constexpr std::size_t kUser = 7;
constexpr std::size_t kInode = 9;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (words.size() <= kInode) {
    const auto start = line.find_first_not_of(' ');
    if (start == line.npos) break;
    line.remove_prefix(start);
    words.push_back(line.substr(0, line.find(' ')));
    line.remove_prefix(words.back().size());
  }
  return words;
}

std::optional<std::string> end_in_table(const sockaddr_storage& end) {
  if (end.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(end);
    return as_in_table(&v4.sin_addr, sizeof v4.sin_addr, ntohs(v4.sin_port));
  }
  if (end.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(end);
    return as_in_table(&v6.sin6_addr, sizeof v6.sin6_addr, ntohs(v6.sin6_port));
  }
  return std::nullopt;
}

std::string text_of(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::optional<TableRow> peer_row(int socket) {
  sockaddr_storage here{};
  sockaddr_storage there{};
  socklen_t here_size = sizeof here;
  socklen_t there_size = sizeof there;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&here), &here_size) != 0 ||
      ::getpeername(socket, reinterpret_cast<sockaddr*>(&there), &there_size) != 0) {
    return std::nullopt;
  }
  const auto ours = end_in_table(here);
  const auto theirs = end_in_table(there);
  if (!ours || !theirs) return std::nullopt;
  const char* const table =
      here.ss_family == AF_INET ? "/proc/self/net/tcp" : "/proc/self/net/tcp6";
  return row_in_table(text_of(table), *theirs, *ours);
}

bool holds(const fs::path& process, const std::string& link) {
  std::error_code error;
  for (fs::directory_iterator each(process / "fd", error), end; !error && each != end;
       each.increment(error)) {
    std::error_code unreadable;
    if (fs::read_symlink(each->path(), unreadable) == link) return true;
  }
  return false;
}

std::optional<pid_t> holder_of(std::uint64_t inode) {
  const std::string link = "socket:[" + std::to_string(inode) + "]";
  std::error_code error;
  for (fs::directory_iterator each("/proc", error), end; !error && each != end;
       each.increment(error)) {
    const auto pid = parse_number<std::uint32_t>(each->path().filename().string());
    if (pid && holds(each->path(), link)) return static_cast<pid_t>(*pid);
  }
  return std::nullopt;
}

std::optional<ucred> peer_credentials(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  return credentials;
}

}  // namespace

bool is_unix_socket(int socket) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

std::optional<pid_t> peer_process(int socket) {
  if (!is_unix_socket(socket)) {
    const auto row = peer_row(socket).value_or(TableRow{});
    return row.inode == 0 ? std::nullopt : holder_of(row.inode);
  }
  const auto credentials = peer_credentials(socket);
  // 0 for a process in another namespace of them.
  return credentials && credentials->pid > 0 ? std::optional(credentials->pid) : std::nullopt;
}

std::optional<uid_t> peer_user(int socket) {
  if (!is_unix_socket(socket)) {
    const auto row = peer_row(socket);
    return row ? std::optional<uid_t>(row->user) : std::nullopt;
  }
  const auto credentials = peer_credentials(socket);
  return credentials ? std::optional(credentials->uid) : std::nullopt;
}

bool peer_is_open(int socket) {
  return peer_row(socket).value_or(TableRow{}).inode != 0;
}

std::optional<TableRow> row_in_table(std::string_view table, std::string_view local,
                                     std::string_view remote) {
  while (!table.empty()) {
    const auto end = table.find('\n');
    const auto words = words_of(table.substr(0, end));
    if (words.size() > kInode && words[kLocal] == local && words[kRemote] == remote) {
      const auto user = parse_number<std::uint32_t>(words[kUser]);
      const auto inode = parse_number<std::uint64_t>(words[kInode]);
      if (!user || !inode) return std::nullopt;
      return TableRow{.user = *user, .inode = *inode};
    }
    table.remove_prefix(end == table.npos ? table.size() : end + 1);
  }
  return std::nullopt;
}

std::string as_in_table(const void* address, std::size_t size, std::uint16_t port) {
  std::string text;
  std::array<char, 9> digits{};
  for (std::size_t i = 0; i + 4 <= size; i += 4) {
    std::uint32_t word = 0;  // the kernel prints the machine's numbers
    std::memcpy(&word, static_cast<const char*>(address) + i, sizeof word);
    std::snprintf(digits.data(), digits.size(), "%08X", word);
    text += digits.data();
  }
  std::snprintf(digits.data(), digits.size(), ":%04X", port);
  return text + digits.data();
}

}  // namespace tbs::ctl::bridge
