#include "client/socket_stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <system_error>

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "client/socket_path.h"

namespace tbs::client {
namespace {

std::unexpected<StreamError> failed(StreamFault fault, int system_error = 0) {
  return std::unexpected(StreamError{.fault = fault, .system_error = system_error});
}

StreamFault fault_of_connect(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
    case ENOTSOCK:
    case EPROTOTYPE:
      return StreamFault::NotRunning;
    case EACCES:
    case EPERM:
      return StreamFault::Denied;
    case EAGAIN:
      return StreamFault::TimedOut;
    default:
      return StreamFault::Failed;
  }
}

// An interrupted connect goes on by itself: wait for it and ask how it ended.
int finish_connect(int socket, Deadline deadline) {
  if (!wait_for(socket, POLLOUT, deadline)) return EAGAIN;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  if (error != 0) return error;
  sockaddr_un peer{};
  size = sizeof peer;
  return ::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) == 0 ? 0 : errno;
}

int poll_timeout(Deadline deadline) {
  if (!deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, std::numeric_limits<int>::max() / 2));
}

bool wait_for_any(std::span<pollfd> entries, Deadline deadline) {
  for (;;) {
    const int timeout = poll_timeout(deadline);
    const int ready = ::poll(entries.data(), entries.size(), timeout);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // the transfer that follows says what is wrong
    if (ready == 0 && poll_timeout(deadline) == 0) return false;
  }
}

// How long connect() may wait for a place in the backlog (unix(7)): it cannot be polled for.
void limit_connect(int socket, Deadline deadline) {
  if (!deadline) return;
  const int left = std::max(poll_timeout(deadline), 1);
  const timeval time{.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

int connect_to(int socket, const sockaddr_un& address, Deadline deadline) {
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  for (;;) {
    limit_connect(socket, deadline);
    if (::connect(socket, generic, sizeof address) == 0 || errno == EISCONN) return 0;
    if (errno != EINTR) return errno;
    const int error = finish_connect(socket, deadline);
    // An interrupted wait for a place in the backlog leaves the socket as it was.
    if (error != ENOTCONN) return error;
  }
}

bool would_wait(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

StreamFault fault_of_transfer(int error) {
  return error == EPIPE || error == ECONNRESET || error == EBADF || error == ENOTCONN
             ? StreamFault::Closed
             : StreamFault::Failed;
}

}  // namespace

bool wait_for(int descriptor, short events, Deadline deadline) {
  pollfd entry{.fd = descriptor, .events = events, .revents = 0};
  return wait_for_any({&entry, 1}, deadline);
}

bool wait_for_either(int first, int second, Deadline deadline) {
  std::array entries{pollfd{.fd = first, .events = POLLIN, .revents = 0},
                     pollfd{.fd = second, .events = POLLIN, .revents = 0}};
  return wait_for_any(entries, deadline) && entries[1].revents != 0;
}

proto::Status status_of(const StreamError& error) {
  switch (error.fault) {
    case StreamFault::BadPath:
    case StreamFault::NotRunning:
    case StreamFault::Closed:
      return proto::Status::ServiceNotRunning;
    case StreamFault::Denied:
      return proto::Status::AccessDenied;
    case StreamFault::TimedOut:
      return proto::Status::ServiceStartPending;
    case StreamFault::Protocol:
    case StreamFault::Failed:
      return proto::Status::InternalError;
  }
  return proto::Status::InternalError;
}

std::string describe(const StreamError& error) {
  std::string text;
  switch (error.fault) {
    case StreamFault::BadPath:
      text = "the path is no socket address (empty, or longer than 107 bytes)";
      break;
    case StreamFault::NotRunning:
      text = "nobody listens there";
      break;
    case StreamFault::Denied:
      text = "the socket's permissions do not let this user in";
      break;
    case StreamFault::Closed:
      text = "the connection was closed";
      break;
    case StreamFault::TimedOut:
      text = "no answer in time";
      break;
    case StreamFault::Protocol:
      text = "the peer does not speak this protocol";
      break;
    case StreamFault::Failed:
      text = "the system refused";
      break;
  }
  if (error.system_error != 0) {
    text += " (" + std::generic_category().message(error.system_error) + ")";
  }
  return text;
}

std::expected<SocketStream, StreamError> SocketStream::connect(const std::string& path,
                                                               Deadline deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (!is_socket_path(path)) return failed(StreamFault::BadPath);
  std::ranges::copy(path, address.sun_path);
  Descriptor socket =
      Descriptor::open([] { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); });
  if (!socket.valid()) return failed(StreamFault::Failed, errno);
  if (const int error = connect_to(socket.get(), address, deadline); error != 0) {
    return failed(fault_of_connect(error), error);
  }
  return SocketStream(std::move(socket));
}

std::expected<std::size_t, StreamError> SocketStream::send_some(proto::Bytes bytes) {
  for (;;) {
    const ssize_t sent =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (would_wait(errno)) return 0;
    if (errno != EINTR) return failed(fault_of_transfer(errno), errno);
  }
}

std::expected<void, StreamError> SocketStream::send_all(proto::Bytes bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const auto sent = send_some(bytes);
    if (!sent) return std::unexpected(sent.error());
    bytes = bytes.subspan(*sent);
    if (!bytes.empty() && !wait_for(socket_.get(), POLLOUT, deadline)) {
      return failed(StreamFault::TimedOut);
    }
  }
  return {};
}

// Waits with poll() also where recv() could: a thread that sleeps in recv() on a Unix socket is
// woken as well when the peer has read what was sent (unix_write_space of the kernel's af_unix.c),
// once for each command and for nothing.
std::expected<std::size_t, StreamError> SocketStream::receive(std::span<std::uint8_t> room,
                                                              Deadline deadline) {
  for (;;) {
    if (!wait_for(socket_.get(), POLLIN, deadline)) return failed(StreamFault::TimedOut);
    const ssize_t count = ::recv(socket_.get(), room.data(), room.size(), MSG_DONTWAIT);
    if (count > 0) return static_cast<std::size_t>(count);
    if (count == 0) return failed(StreamFault::Closed);
    if (!would_wait(errno) && errno != EINTR) return failed(fault_of_transfer(errno), errno);
  }
}

std::expected<proto::Frame, StreamError> SocketStream::receive_frame(proto::FrameExtractor& frames,
                                                                     Deadline deadline) {
  for (;;) {
    const auto frame = frames.next();
    if (!frame) return failed(StreamFault::Protocol);
    if (*frame) return **frame;
    if (is_over(deadline)) return failed(StreamFault::TimedOut);
    const auto count = receive(frames.writable(), deadline);
    if (!count) return std::unexpected(count.error());
    frames.commit(*count);
  }
}

void SocketStream::shutdown() {
  ::shutdown(socket_.get(), SHUT_RDWR);
}

}  // namespace tbs::client
