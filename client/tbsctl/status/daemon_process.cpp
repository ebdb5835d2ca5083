#include "client/tbsctl/status/daemon_process.h"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string_view>

#include <sys/socket.h>

#include "client/socket_path.h"
#include "client/socket_stream.h"
#include "client/tbsctl/connection/conversation.h"

namespace tbs::ctl {
namespace {

constexpr std::string_view kName = "tbsd";

Failure cannot(const std::string& why) {
  return {.exit = Exit::Failed, .message = "cannot restart tbsd: " + why};
}

std::string line_of(const std::string& path, std::string_view start) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(start)) return line.substr(start.size());
  }
  return {};
}

bool catches(const std::string& proc, int signal) {
  const std::string mask = line_of(proc + "/status", "SigCgt:\t");
  std::uint64_t bits = 0;
  std::from_chars(mask.data(), mask.data() + mask.size(), bits, 16);
  return (bits >> (signal - 1) & 1) != 0;
}

}  // namespace

// A socket that a service manager has made is the service manager's, as the kernel sees it.
std::string why_not_restartable(pid_t process, const std::string& proc) {
  if (process == 0) return "it runs in another container";
  const std::string name = line_of(proc + "/comm", "");
  if (name != kName) {
    return "its service manager listens for it (process " + std::to_string(process) +
           "); restart it there, for instance with `systemctl restart tbsd.service`";
  }
  if (!catches(proc, SIGUSR2)) return "this one is too old to be restarted; stop and start it";
  return {};
}

std::expected<pid_t, Failure> restartable_daemon(const std::string& socket) {
  const std::string path = client::socket_path(socket);
  const auto connected =
      client::SocketStream::connect(path, Conversation::deadline_for(Patience::Answer));
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (!connected) {
    return std::unexpected(Failure{
        .exit = Exit::Unreachable,
        .message = "cannot reach tbsd at " + path + ": " + client::describe(connected.error())});
  }
  if (::getsockopt(connected->descriptor(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return std::unexpected(cannot(std::strerror(errno)));
  }
  const std::string why = why_not_restartable(peer.pid, "/proc/" + std::to_string(peer.pid));
  if (!why.empty()) return std::unexpected(cannot(why));
  return peer.pid;
}

}  // namespace tbs::ctl
