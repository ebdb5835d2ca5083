#include "daemon/server/peer_credentials.h"

#include <cerrno>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/server/proc_file.h"
#include "daemon/server/process_status.h"
#include "daemon/server/unit_name.h"
#include "proto/terminal_text.h"

namespace tbs::server {
namespace {

// Not in the headers of Debian 12: asm-generic/socket.h of Linux 6.5.
constexpr int kSoPeerPidFd = 77;

std::vector<gid_t> groups_of(int socket, gid_t primary) {
  // SO_PEERGROUPS (socket(7)) says how much room it needs when there is too little.
  std::vector<gid_t> groups(32);
  auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  while (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) {
    if (errno != ERANGE || size <= groups.size() * sizeof(gid_t)) return {primary};
    groups.resize(size / sizeof(gid_t));
  }
  groups.resize(size / sizeof(gid_t));
  groups.push_back(primary);
  return groups;
}

// A process that has ended makes its descriptor readable.
class ProcessWatch {
 public:
  ProcessWatch(int socket, pid_t pid) {
    socklen_t size = sizeof(fd_);
    if (getsockopt(socket, SOL_SOCKET, kSoPeerPidFd, &fd_, &size) != 0) {
      fd_ = pid > 0 ? static_cast<int>(syscall(SYS_pidfd_open, pid, 0)) : -1;
    }
  }
  ~ProcessWatch() {
    if (fd_ >= 0) close(fd_);
  }
  ProcessWatch(const ProcessWatch&) = delete;
  ProcessWatch& operator=(const ProcessWatch&) = delete;

  [[nodiscard]] bool is_alive() const {
    pollfd state{.fd = fd_, .events = POLLIN, .revents = 0};
    return fd_ >= 0 && ::poll(&state, 1, 0) == 0;
  }

 private:
  int fd_ = -1;
};

std::string program_of(pid_t pid) {
  std::string name = read_of_process(pid, "comm");
  name = name.substr(0, name.find('\n'));
  // It goes into logs and tables.
  return proto::terminal_text(name);
}

std::expected<ucred, int> credentials_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
    return std::unexpected(errno);
  }
  return credentials;
}

}  // namespace

std::expected<UserId, int> user_of_peer(int socket) {
  const auto credentials = credentials_of(socket);
  if (!credentials) return std::unexpected(credentials.error());
  return UserId{credentials->uid};
}

std::expected<Peer, int> peer_of(int socket, AccountFinder& accounts) {
  const auto credentials = credentials_of(socket);
  if (!credentials) return std::unexpected(credentials.error());
  const UserId user{credentials->uid};
  Peer peer{.principal = principal_of(user), .pid = credentials->pid};
  peer.principal.account = accounts.account_of(user);
  peer.subject.uid = credentials->uid;
  peer.subject.gids = groups_of(socket, credentials->gid);
  const ProcessWatch process(socket, credentials->pid);
  peer.program = program_of(credentials->pid);
  std::string cgroup = cgroup_path(read_of_process(credentials->pid, "cgroup"));
  const AccountId account = accounts.account_of(user, credentials->pid);
  if (process.is_alive()) {
    peer.principal.account = account;
    peer.subject.unit = unit_name(cgroup);
    peer.subject.cgroup = std::move(cgroup);
  }
  return peer;
}

std::expected<Peer, int> peer_of(const proto::Opener& opener, AccountFinder& accounts) {
  const UserId user{opener.uid};
  Peer peer{.principal = principal_of(user)};
  peer.principal.account = accounts.account_of(user);
  peer.subject.uid = opener.uid;
  peer.subject.gids = {opener.gid};
  if (opener.pid == 0) return peer;
  const auto thread = static_cast<pid_t>(opener.pid);
  auto status = process_status(read_of_process(thread, "status"));
  // One of another user is not who opened it.
  if (!status || status->file_user != opener.uid) return peer;
  peer.pid = status->process;
  status->groups.push_back(opener.gid);
  peer.subject.gids = std::move(status->groups);
  peer.program = program_of(peer.pid);
  peer.principal.account = accounts.account_of(user, peer.pid);
  peer.subject.cgroup = cgroup_path(read_of_process(thread, "cgroup"));
  peer.subject.unit = unit_name(peer.subject.cgroup);
  return peer;
}

}  // namespace tbs::server
