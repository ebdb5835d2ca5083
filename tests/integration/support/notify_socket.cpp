#include "tests/integration/support/notify_socket.h"

#include <cstring>
#include <stdexcept>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tbs::test {

NotifySocket::NotifySocket(const TempFolder& folder)
    : path_(folder / "notify.sock"), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.c_str(), path_.size());
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::runtime_error("cannot bind " + path_);
  }
}

NotifySocket::~NotifySocket() {
  ::close(socket_);
}

bool NotifySocket::hears(const std::string& line, std::chrono::milliseconds patience) {
  return eventually([&] { return ("\n" + next(20) + "\n").contains("\n" + line + "\n"); },
                    patience);
}

void NotifySocket::forget() {
  while (!next(0).empty()) {
  }
}

std::string NotifySocket::next(int patience_ms) {
  pollfd wanted{.fd = socket_, .events = POLLIN, .revents = 0};
  char text[2048];
  if (::poll(&wanted, 1, patience_ms) <= 0) return {};
  const ssize_t size = ::recv(socket_, text, sizeof(text), 0);
  return size < 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
}

}  // namespace tbs::test
