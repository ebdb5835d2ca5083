#include "daemon/server/peer.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

namespace tbs::server {
namespace {

bool in_group(int socket, gid_t primary, gid_t group) {
  if (primary == group) return true;
  // SO_PEERGROUPS (socket(7)) says how much room it needs when there is too little.
  std::vector<gid_t> groups(32);
  auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  while (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) {
    if (errno != ERANGE || size <= groups.size() * sizeof(gid_t)) return false;
    groups.resize(size / sizeof(gid_t));
  }
  groups.resize(size / sizeof(gid_t));
  return std::ranges::find(groups, group) != groups.end();
}

std::string program_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(file, name);
  // It goes into logs and tables: nothing but what prints on one line.
  std::ranges::replace_if(name, [](char c) { return c < ' ' || c == 127; }, '?');
  return name;
}

}  // namespace

std::expected<Peer, int> peer_of(int socket, const AdministratorRule& rule) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
    return std::unexpected(errno);
  }
  const bool administrator =
      credentials.uid == 0 || (rule.has_group && in_group(socket, credentials.gid, rule.group));
  return Peer{.user = UserId{credentials.uid},
              .pid = credentials.pid,
              .administrator = administrator,
              .program = program_of(credentials.pid)};
}

}  // namespace tbs::server
