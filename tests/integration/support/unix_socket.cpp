#include "tests/integration/support/unix_socket.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tbs::test {
namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) throw std::runtime_error("socket path too long");
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return address;
}

int make_socket() {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) throw std::system_error(errno, std::generic_category(), "socket");
  return socket;
}

}  // namespace

int try_connect(const std::string& path) {
  const sockaddr_un address = address_of(path);
  const int socket = make_socket();
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return socket;
  }
  ::close(socket);
  return -1;
}

int connect_to(const std::string& path) {
  const int socket = try_connect(path);
  if (socket < 0) throw std::runtime_error("cannot connect to " + path);
  return socket;
}

int listen_on(const std::string& path) {
  const sockaddr_un address = address_of(path);
  const int socket = make_socket();
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      ::listen(socket, 16) == 0) {
    return socket;
  }
  ::close(socket);
  throw std::runtime_error("cannot listen on " + path);
}

}  // namespace tbs::test
