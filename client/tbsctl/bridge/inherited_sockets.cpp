#include "client/tbsctl/bridge/inherited_sockets.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/tbsctl/text/number.h"

namespace tbs::ctl::bridge {
namespace {

constexpr int kFirst = 3;

bool is_listening_stream(int fd) {
  int type = 0;
  int listens = 0;
  socklen_t type_size = sizeof type;
  socklen_t listens_size = sizeof listens;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0 && type == SOCK_STREAM &&
         ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_size) == 0 && listens != 0;
}

bool set_flags(int fd) {
  const int status = ::fcntl(fd, F_GETFL);
  return status >= 0 && ::fcntl(fd, F_SETFL, status | O_NONBLOCK) == 0 &&
         ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

}  // namespace

std::expected<std::size_t, std::string> inherited_count(const char* process, const char* count,
                                                        int self) {
  if (process == nullptr || count == nullptr) return 0;
  const auto owner = parse_number<std::uint32_t>(process);
  const auto number = parse_number<std::size_t>(count);
  if (!owner || !number) return std::unexpected("LISTEN_PID and LISTEN_FDS are not both numbers");
  if (*owner != static_cast<std::uint32_t>(self)) return 0;
  if (*number > kMaxInherited) {
    return std::unexpected(std::string("LISTEN_FDS has ") + count +
                           " sockets, more than any protocol has channels");
  }
  return *number;
}

std::expected<std::vector<Listening>, std::string> take_inherited_sockets() {
  const auto count =
      inherited_count(::getenv("LISTEN_PID"), ::getenv("LISTEN_FDS"), static_cast<int>(::getpid()));
  if (!count) return std::unexpected(count.error());
  for (const char* const name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  std::vector<Listening> all;
  for (int fd = kFirst; fd < kFirst + static_cast<int>(*count); ++fd) {
    const std::string what = "descriptor " + std::to_string(fd) + " that was handed over ";
    if (!is_listening_stream(fd)) {
      return std::unexpected(what + "is no stream socket that listens");
    }
    const auto address = address_of(fd);
    if (!address) return std::unexpected(what + "is neither a Unix socket nor TCP");
    if (!set_flags(fd)) {
      return std::unexpected(what + "cannot be used: " + std::generic_category().message(errno));
    }
    all.push_back({.socket = client::Descriptor::open([fd] { return fd; }),
                   .address = *address,
                   .inherited = true});
  }
  return all;
}

}  // namespace tbs::ctl::bridge
