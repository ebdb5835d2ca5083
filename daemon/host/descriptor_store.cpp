#include "daemon/host/descriptor_store.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "daemon/host/limited_log.h"

namespace tbs::host {
namespace {

using Kind = StoreQueue::Message::Kind;

constexpr std::chrono::milliseconds kPace{5};
constexpr std::chrono::milliseconds kFirstPause{5};
constexpr std::chrono::milliseconds kLongestPause{160};
// Then others of the loop have their turn.
constexpr int kMostAtOnce = 32;

std::string socket_of_environment() {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  return path == nullptr ? std::string() : path;
}

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

// Its queue is full, the machine has no memory, or too many descriptors are under way.
bool passes_by_itself(int error) {
  return error == EAGAIN || error == EINTR || error == ENOBUFS || error == ENOMEM ||
         error == ETOOMANYREFS;
}

// Whoever was at the other end is not there any more.
bool has_gone(int error) {
  return error == ECONNREFUSED || error == ENOTCONN || error == ECONNRESET || error == EPIPE;
}

std::string text_of(const StoreQueue::Message& message) {
  return message.kind == Kind::Store ? "FDSTORE=1\nFDNAME=" + message.name + "\nFDPOLL=0"
                                     : "FDSTOREREMOVE=1\nFDNAME=" + message.name;
}

}  // namespace

// The service manager closes its end of a pipe when its turn has come.
class DescriptorStore::Barrier {
 public:
  using Over = std::function<void()>;

  Barrier(boost::asio::io_context& io, Gone passed)
      : pipe_(io), patience_(io), passed_(std::move(passed)) {}

  void start(const Over& over) {
    patience_.expires_after(kBarrierPatience);
    patience_.async_wait([over](const boost::system::error_code& stopped) {
      if (!stopped) over();
    });
  }
  // Our end, which this object closes.
  void watch(int descriptor, const Over& over) {
    pipe_.assign(descriptor);
    pipe_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [over](const boost::system::error_code& stopped) {
                       if (!stopped) over();
                     });
  }
  Gone take_call() { return std::move(passed_); }

 private:
  boost::asio::posix::stream_descriptor pipe_;
  boost::asio::steady_timer patience_;
  Gone passed_;
};

DescriptorStore::DescriptorStore(boost::asio::io_context& io)
    : DescriptorStore(io, socket_of_environment(), {}) {}

DescriptorStore::DescriptorStore(boost::asio::io_context& io, std::string socket,
                                 StoreQueue::Limits limits)
    : io_(io),
      address_(std::move(socket)),
      socket_(io),
      queue_(limits),
      timer_(io),
      pause_(kFirstPause) {
  if (!is_address(address_)) return;
  const int made = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (made >= 0) socket_.assign(made);
}

DescriptorStore::~DescriptorStore() = default;

void DescriptorStore::keep(std::string name, int descriptor) {
  if (!available()) return;
  queue_.keep(name, descriptor);
  send_waiting();
}

void DescriptorStore::drop(std::string name, Gone gone) {
  if (!available() || !queue_.drop(name)) {
    if (gone) post(std::move(gone));
    return;
  }
  if (gone) return barrier(std::move(gone));
  send_waiting();
}

void DescriptorStore::barrier(Gone call) {
  if (!available()) return post(std::move(call));
  const std::uint64_t number = ++last_barrier_;
  auto barrier = std::make_unique<Barrier>(io_, std::move(call));
  barrier->start([this, number] { passed(number); });
  barriers_.emplace(number, std::move(barrier));
  queue_.barrier(number);
  send_waiting();
}

void DescriptorStore::post(Gone call) {
  boost::asio::post(io_, std::move(call));
}

void DescriptorStore::send_waiting() {
  // Else what waits for its next try is tried each time that something is added.
  if (waiting_) return;
  for (int sent = 0; sent < kMostAtOnce; ++sent) {
    const StoreQueue::Message* const message = queue_.next(std::chrono::steady_clock::now());
    if (message == nullptr) {
      if (queue_.waiting()) send_later(kPace);
      return;
    }
    const int error = send(*message);
    if (error == EAGAIN) return send_when_writable();
    if (passes_by_itself(error)) {
      send_later(pause_);
      pause_ = std::min(pause_ * 2, kLongestPause);
      return;
    }
    if (error != 0) complain(*message, error);
    pause_ = kFirstPause;
    queue_.take_sent();
  }
  if (queue_.waiting()) send_later(std::chrono::milliseconds(0));
}

int DescriptorStore::send(const StoreQueue::Message& message) {
  if (message.kind == Kind::Barrier) return send_barrier(message.barrier);
  return send(text_of(message), message.descriptor);
}

int DescriptorStore::send(const std::string& text, int descriptor) {
  const int socket = socket_.native_handle();
  const int error = send_on(socket, text, descriptor);
  if (!has_gone(error)) return error;
  const int refused = connect_to(socket, address_);
  return refused != 0 ? refused : send_on(socket, text, descriptor);
}

void DescriptorStore::complain(const StoreQueue::Message& message, int error) {
  if (message.kind == Kind::Barrier) return;
  log_limited(spdlog::level::warn, Topic::DescriptorStore,
              "the service manager cannot be told to " +
                  std::string(message.kind == Kind::Store ? "keep" : "drop") + " " + message.name +
                  ": " + std::strerror(error) +
                  "; what it does not keep is lost at the next restart");
}

// Nobody but the service manager may hold the other end when it has closed it.
int DescriptorStore::send_barrier(std::uint64_t number) {
  const auto barrier = barriers_.find(number);
  if (barrier == barriers_.end()) return 0;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return EINTR;
  const int error = send("BARRIER=1", ends[1]);
  ::close(ends[1]);
  if (passes_by_itself(error)) {
    ::close(ends[0]);
  } else {
    // One that was not sent is over at once: no end is open.
    barrier->second->watch(ends[0], [this, number] { passed(number); });
  }
  return error;
}

// Its patience may be over in the same turn of the loop as its wait.
void DescriptorStore::passed(std::uint64_t number) {
  const auto barrier = barriers_.extract(number);
  if (!barrier.empty()) barrier.mapped()->take_call()();
}

void DescriptorStore::send_later(std::chrono::milliseconds pause) {
  waiting_ = true;
  timer_.expires_after(pause);
  timer_.async_wait([this](const boost::system::error_code& stopped) { send_again(stopped); });
}

// As soon as the service manager has read something: the socket is connected to its own.
void DescriptorStore::send_when_writable() {
  waiting_ = true;
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                     [this](const boost::system::error_code& stopped) { send_again(stopped); });
}

void DescriptorStore::send_again(const boost::system::error_code& stopped) {
  if (stopped) return;
  waiting_ = false;
  send_waiting();
}

}  // namespace tbs::host
