#include "client/tbsctl/bridge/address.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/socket_path.h"
#include "client/tbsctl/text/number.h"

namespace tbs::ctl::bridge {
namespace {

constexpr int kBacklog = 64;

// A socket address of any kind, with its length.
struct SocketName {
  sockaddr_storage storage{};
  socklen_t size = 0;

  template <typename Kind>
  Kind& as() {
    size = sizeof(Kind);
    return *reinterpret_cast<Kind*>(&storage);
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

std::optional<SocketName> name_of(const Address& address) {
  SocketName name;
  if (address.unix_socket()) {
    auto& local = name.as<sockaddr_un>();
    local.sun_family = AF_UNIX;
    if (!client::is_socket_path(address.path)) return std::nullopt;
    std::memcpy(local.sun_path, address.path.data(), address.path.size());
    return name;
  }
  auto& v4 = name.as<sockaddr_in>();
  v4.sin_family = AF_INET;
  v4.sin_port = htons(address.port);
  if (::inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr) == 1) return name;
  name = {};
  auto& v6 = name.as<sockaddr_in6>();
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(address.port);
  if (::inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr) == 1) return name;
  return std::nullopt;
}

std::unexpected<std::string> failed(const std::string& what, const Address& address) {
  return std::unexpected("cannot " + what + " " + to_string(address) + ": " +
                         std::generic_category().message(errno));
}

std::string path_in(const SocketName& name) {
  const auto& local = reinterpret_cast<const sockaddr_un&>(name.storage);
  const std::size_t offset = offsetof(sockaddr_un, sun_path);
  if (name.size <= offset) return {};
  std::string path(local.sun_path, name.size - offset);
  if (path.front() == '\0') {
    path.front() = '@';
  } else {
    path.resize(::strnlen(path.data(), path.size()));
  }
  return path;
}

std::string host_in(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_ntop(family, address, text.data(), text.size()) == nullptr) return {};
  return text.data();
}

// A file that a bridge left which did not end in good order.
void remove_stale(const SocketName& name, const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  const auto probe = client::Descriptor::open(
      [] { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); });
  if (!probe.valid() || ::connect(probe.get(), name.get(), name.size) == 0) return;
  if (errno == ECONNREFUSED) ::unlink(path.c_str());
}

bool bind_with_mode(int socket, const SocketName& name, const Address& address, unsigned mode) {
  if (!address.unix_socket()) return ::bind(socket, name.get(), name.size) == 0;
  remove_stale(name, address.path);
  // Nobody can connect before it has its mode: it does not listen yet.
  return ::bind(socket, name.get(), name.size) == 0 && ::chmod(address.path.c_str(), mode) == 0;
}

std::expected<Address, std::string> parse_tcp(std::string_view text) {
  Address address{.path = {}, .host = "127.0.0.1"};
  std::string_view port = text;
  if (const auto colon = text.rfind(':'); colon != text.npos) {
    std::string_view host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
      host = host.substr(1, host.size() - 2);
    }
    address.host = host == "localhost" ? "127.0.0.1" : host;
  }
  const auto number = parse_number<std::uint16_t>(port);
  if (!number || !name_of(address)) {
    return std::unexpected("'" + std::string(text) +
                           "' is neither PATH with a slash in it, nor PORT or ADDRESS:PORT");
  }
  address.port = *number;
  return address;
}

}  // namespace

std::expected<Address, std::string> parse_address(std::string_view text) {
  const bool named_unix = text.starts_with("unix:");
  if (named_unix || text.find('/') != text.npos) {
    const std::string path(named_unix ? text.substr(5) : text);
    if (client::is_socket_path(path)) return Address{.path = path, .host = {}};
    return std::unexpected("'" + path + "' cannot be the path of a socket");
  }
  return parse_tcp(text.starts_with("tcp:") ? text.substr(4) : text);
}

std::optional<Address> address_of(int socket) {
  SocketName name{.storage = {}, .size = sizeof(sockaddr_storage)};
  auto* const place = reinterpret_cast<sockaddr*>(&name.storage);
  if (::getsockname(socket, place, &name.size) != 0) return std::nullopt;
  if (name.storage.ss_family == AF_UNIX) {
    Address address{.path = path_in(name), .host = {}};
    return address.unix_socket() ? std::optional(std::move(address)) : std::nullopt;
  }
  if (name.storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(name.storage);
    return Address{.path = {}, .host = host_in(AF_INET, &v4.sin_addr), .port = ntohs(v4.sin_port)};
  }
  if (name.storage.ss_family != AF_INET6) return std::nullopt;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(name.storage);
  return Address{.path = {}, .host = host_in(AF_INET6, &v6.sin6_addr), .port = ntohs(v6.sin6_port)};
}

std::string to_string(const Address& address) {
  if (address.unix_socket()) return address.path;
  const bool v6 = address.host.find(':') != address.host.npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

bool is_local(const Address& address) {
  if (address.unix_socket()) return true;
  const auto name = name_of(address);
  if (!name) return false;
  if (name->storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(name->storage);
    return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(name->storage);
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

std::optional<Address> beside(const Address& address, std::string_view ending) {
  Address other = address;
  if (address.unix_socket()) {
    other.path += ending;
    return client::is_socket_path(other.path) ? std::optional(other) : std::nullopt;
  }
  if (address.port == 65535) return std::nullopt;
  ++other.port;
  return other;
}

std::expected<Listening, std::string> listen_at(const Address& address, unsigned mode) {
  const auto name = name_of(address);
  if (!name) return failed("understand", address);
  auto socket = client::Descriptor::open([&] {
    return ::socket(name->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  });
  if (!socket.valid()) return failed("make a socket for", address);
  const int on = 1;
  if (!address.unix_socket()) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  }
  if (name->storage.ss_family == AF_INET6) {
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (!bind_with_mode(socket.get(), *name, address, mode)) return failed("bind to", address);
  if (::listen(socket.get(), kBacklog) != 0) return failed("listen on", address);
  Listening listening{.socket = std::move(socket), .address = address};
  if (const auto bound = address_of(listening.socket.get())) listening.address.port = bound->port;
  return listening;
}

}  // namespace tbs::ctl::bridge
