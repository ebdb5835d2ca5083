#include "tests/bench/tcp_socket.h"

#include <cerrno>
#include <optional>
#include <random>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace tbs::bench {
namespace {

constexpr int kTries = 100;
constexpr std::uint16_t kFirstPort = 20000;
constexpr std::uint16_t kLastPort = 30000;

[[noreturn]] void refuse(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

Fd new_socket() {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) refuse("socket");
  return socket;
}

void send_at_once(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool listen_on(int socket, std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
         ::listen(socket, 16) == 0;
}

std::optional<PortPair> try_port_pair(std::uint16_t port) {
  PortPair pair{.data = new_socket(), .control = new_socket(), .port = port};
  if (!listen_on(pair.data.get(), port)) return std::nullopt;
  if (!listen_on(pair.control.get(), static_cast<std::uint16_t>(port + 1))) return std::nullopt;
  return pair;
}

}  // namespace

PortPair listen_on_port_pair() {
  // Below the ports that the kernel gives to connections, whose ends lie about for a minute.
  std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<std::uint16_t> ports(kFirstPort, kLastPort);
  for (int i = 0; i < kTries; ++i) {
    if (auto pair = try_port_pair(ports(random))) return std::move(*pair);
  }
  refuse("find two free ports in a row");
}

Fd connect_tcp(std::uint16_t port) {
  auto socket = new_socket();
  const sockaddr_in address = loopback(port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    refuse("connect to the relay");
  }
  send_at_once(socket.get());
  return socket;
}

Fd accept_tcp(int listening) {
  Fd socket(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC));
  if (socket.valid()) send_at_once(socket.get());
  return socket;
}

}  // namespace tbs::bench
