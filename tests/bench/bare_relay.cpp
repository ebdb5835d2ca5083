#include "tests/bench/bare_relay.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tests/bench/unix_socket.h"

namespace tbs::bench {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

bool watch(int epoll, int descriptor, std::uint32_t events) {
  epoll_event wanted{.events = events, .data = {.fd = descriptor}};
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &wanted) == 0;
}

// One message from one to the other. False: there is none any more, or nobody to take it.
bool pass(int from, int to) {
  std::array<std::uint8_t, 4096> room;
  const ssize_t size = ::read(from, room.data(), room.size());
  if (size < 0) return errno == EAGAIN;
  return size > 0 && ::write(to, room.data(), static_cast<std::size_t>(size)) == size;
}

// In a process of its own. Returns when the client has gone.
int relay(int client, const std::string& path) {
  const int node = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (!watch(epoll, client, EPOLLIN) || !watch(epoll, node, EPOLLIN | EPOLLET)) return 1;
  while (true) {
    epoll_event event;
    const int count = ::epoll_wait(epoll, &event, 1, -1);
    if (count < 0 && errno != EINTR) return 1;
    if (count < 1) continue;
    const bool asked = event.data.fd == client;
    if (!pass(asked ? client : node, asked ? node : client)) return 0;
  }
}

}  // namespace

BareRelayClient::BareRelayClient(const std::string& node) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) fail("socketpair");
  socket_ = Fd(ends[0]);
  Fd theirs(ends[1]);
  relay_ = ::fork();
  if (relay_ < 0) fail("fork");
  if (relay_ == 0) {
    std::exchange(socket_, Fd());
    ::_exit(relay(theirs.get(), node));
  }
}

BareRelayClient::~BareRelayClient() {
  ::shutdown(socket_.get(), SHUT_RDWR);
  ::waitpid(relay_, nullptr, 0);
}

proto::Bytes BareRelayClient::run(proto::Bytes command) {
  send_whole(socket_.get(), command);
  // To wait in poll() is cheaper than in recv(), as libtbs knows, too.
  pollfd answer{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&answer, 1, -1) < 0) fail("poll");
  return receive_tpm_message(socket_.get(), room_);
}

}  // namespace tbs::bench
