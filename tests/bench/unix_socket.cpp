#include "tests/bench/unix_socket.h"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <sys/socket.h>
#include <sys/un.h>

#include "proto/limits.h"

namespace tbs::bench {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

Fd new_socket() {
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) refuse("socket");
  return socket;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long: " + path);
  std::ranges::copy(path, address.sun_path);
  return address;
}

std::size_t size_in_header(proto::Bytes message) {
  proto::ByteReader reader(message);
  reader.skip(2);
  return reader.be32();
}

}  // namespace

Fd connect_unix(const std::string& path) {
  auto socket = new_socket();
  const sockaddr_un address = address_of(path);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    refuse("connect to " + path);
  }
  return socket;
}

void send_whole(int socket, proto::Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) refuse("send");
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
}

proto::Bytes receive_tpm_message(int socket, std::span<std::uint8_t> room) {
  std::size_t have = 0;
  std::size_t wanted = proto::kTpmHeaderSize;
  while (have < wanted) {
    const ssize_t count = ::recv(socket, room.data() + have, room.size() - have, 0);
    if (count < 0) refuse("recv");
    if (count == 0) throw std::runtime_error("the peer closed the connection");
    have += static_cast<std::size_t>(count);
    if (have < proto::kTpmHeaderSize) continue;
    wanted = size_in_header(room);
    if (wanted > room.size() || wanted < have) throw std::runtime_error("no TPM message");
  }
  return proto::Bytes(room).first(have);
}

}  // namespace tbs::bench
