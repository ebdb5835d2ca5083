#include "daemon/host/notify_socket.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>

namespace tbs::host {
namespace {

// A path, or an abstract name behind '@'.
bool is_address(const std::string& address) {
  return address.size() > 1 && address.size() < sizeof(sockaddr_un::sun_path) &&
         (address.front() == '/' || address.front() == '@');
}

// To the service manager's address. 0 or an errno value.
int connect_to(int socket, const std::string& address) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address.data(), address.size());
  if (address.front() == '@') to.sun_path[0] = '\0';
  // A name that is abstract ends where the address does.
  const std::size_t size = offsetof(sockaddr_un, sun_path) + address.size() +
                           static_cast<std::size_t>(address.front() != '@');
  return ::connect(socket, reinterpret_cast<const sockaddr*>(&to), static_cast<socklen_t>(size)) < 0
             ? errno
             : 0;
}

// 0 or an errno value.
int send_on(int socket, const std::string& text, int descriptor) {
  iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  }
  return ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

// Whoever was at the other end is not there any more.
bool has_gone(int error) {
  return error == ECONNREFUSED || error == ENOTCONN || error == ECONNRESET || error == EPIPE;
}

}  // namespace

std::string NotifySocket::address_of_environment() {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  return path == nullptr ? std::string() : path;
}

NotifySocket::NotifySocket(boost::asio::io_context& io, std::string address)
    : address_(std::move(address)), socket_(io) {
  if (!is_address(address_)) return;
  const int made = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (made >= 0) socket_.assign(made);
}

int NotifySocket::send(const std::string& text, int descriptor) {
  const int socket = socket_.native_handle();
  const int error = send_on(socket, text, descriptor);
  if (!has_gone(error)) return error;
  const int refused = connect_to(socket, address_);
  return refused != 0 ? refused : send_on(socket, text, descriptor);
}

bool NotifySocket::passes_by_itself(int error) {
  return error == EAGAIN || error == EINTR || error == ENOBUFS || error == ENOMEM ||
         error == ETOOMANYREFS;
}

}  // namespace tbs::host
