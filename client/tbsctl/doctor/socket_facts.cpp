#include <cerrno>
#include <cstdlib>

#include <sys/stat.h>

#include "client/socket_path.h"
#include "client/tbsctl/doctor/socket_check.h"

namespace tbs::ctl {
namespace {

constexpr std::chrono::seconds kConnectTime{2};

std::string chooser_of(const std::string& named) {
  if (!named.empty()) return "--socket";
  return client::chosen_socket().empty() ? "" : "TBS_SOCKET";
}

bool nobody_listens(const std::string& path) {
  const auto connected = client::SocketStream::connect(path, client::Clock::now() + kConnectTime);
  return !connected && connected.error().fault == client::StreamFault::NotRunning;
}

}  // namespace

SocketFacts socket_facts(const std::string& named) {
  SocketFacts facts{.path = client::socket_path(named), .chosen_by = chooser_of(named)};
  facts.administrators = facts.path.ends_with("admin.sock");
  struct stat info{};
  if (::stat(facts.path.c_str(), &info) != 0) {
    facts.error = errno == ENOENT || errno == ENOTDIR ? 0 : errno;
    return facts;
  }
  facts.exists = true;
  facts.is_socket = S_ISSOCK(info.st_mode);
  facts.mode = info.st_mode & 07777U;
  facts.uid = info.st_uid;
  facts.gid = info.st_gid;
  UserNames users;
  facts.nobody_listens = facts.is_socket && nobody_listens(facts.path);
  facts.owner = users.of(info.st_uid) + ":" + group_name(info.st_gid);
  return facts;
}

}  // namespace tbs::ctl
