#include "daemon/device/adopted_socket.h"

#include <cstring>

#include <errno.h>
#include <sys/socket.h>

namespace tbs::device {
namespace {

// errno value, or 0 with the option in `value`.
int option(int descriptor, int name, int& value) {
  socklen_t size = sizeof(value);
  return ::getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? 0 : errno;
}

}  // namespace

std::expected<int, std::string> stream_family(int descriptor) {
  if (descriptor < 0) return std::unexpected("the socket is missing");
  int type = 0;
  int family = 0;
  if (const int error = option(descriptor, SO_TYPE, type); error != 0) {
    return std::unexpected(std::string("what should be a socket is none: ") + std::strerror(error));
  }
  if (type != SOCK_STREAM || option(descriptor, SO_DOMAIN, family) != 0) {
    return std::unexpected("the socket is of another type");
  }
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) {
    return std::unexpected(std::string("the socket has no connection: ") + std::strerror(errno));
  }
  return family;
}

}  // namespace tbs::device
