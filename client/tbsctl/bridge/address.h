#pragma once

// Where the bridge listens: a Unix socket, or a TCP port. Whoever can connect has the TPM rights of
// the user who runs the bridge, so that TCP is for the machine itself (127.0.0.0/8, ::1) unless the
// user insists, and a Unix socket for its owner.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <sys/socket.h>

#include "client/descriptor.h"

namespace tbs::ctl::bridge {

struct Address {
  std::string path;  // of a Unix socket; empty: TCP
  std::string host;  // a number, without brackets
  std::uint16_t port = 0;

  [[nodiscard]] bool unix_socket() const { return !path.empty(); }
};

// "/run/x.sock", "./x" or "unix:x"; "2321", "127.0.0.1:2321", "[::1]:2321", also after "tcp:".
// Names of hosts are not looked up, but "localhost" is 127.0.0.1.
std::expected<Address, std::string> parse_address(std::string_view text);
std::string to_string(const Address& address);
// Whether only this machine can connect.
bool is_local(const Address& address);

// The second address of a protocol that has two: the next port, or the path with this ending.
std::optional<Address> beside(const Address& address, std::string_view ending);

struct Listening {
  client::Descriptor socket;
  Address address;         // with the port that the system chose for port 0
  bool inherited = false;  // made by somebody else, whose file it is
};

// Where a socket is that exists already; nothing for one of another kind. A name without a file
// starts with '@'.
std::optional<Address> address_of(int socket);

// Listens there. A socket file that nobody listens on any more is replaced.
std::expected<Listening, std::string> listen_at(const Address& address, unsigned mode);

}  // namespace tbs::ctl::bridge
