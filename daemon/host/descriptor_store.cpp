#include "daemon/host/descriptor_store.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "daemon/host/limited_log.h"

namespace tbs::host {
namespace {

using MessageKind = StoreQueue::Message::Kind;

constexpr std::chrono::milliseconds kPace{5};
constexpr std::chrono::milliseconds kFirstPause{5};
constexpr std::chrono::milliseconds kLongestPause{160};
// Then others of the loop have their turn.
constexpr int kMostAtOnce = 32;

std::string text_of(const StoreQueue::Message& message) {
  return message.kind == MessageKind::Store ? "FDSTORE=1\nFDNAME=" + message.name + "\nFDPOLL=0"
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

// Somebody who goes on when the descriptor was sent, or patience is over.
class DescriptorStore::Held {
 public:
  Held(boost::asio::io_context& io, Gone go_on, std::function<void()> over)
      : timer_(io), go_on_(std::move(go_on)), over_(std::move(over)) {}

  // Instead of a wait that was begun before.
  void wait(std::chrono::milliseconds duration) {
    timer_.expires_after(duration);
    timer_.async_wait([this](const boost::system::error_code& stopped) {
      if (!stopped) over_();
    });
  }
  Gone take_call() { return std::move(go_on_); }

 private:
  boost::asio::steady_timer timer_;
  Gone go_on_;
  std::function<void()> over_;
};

DescriptorStore::DescriptorStore(boost::asio::io_context& io)
    : DescriptorStore(io, NotifySocket::address_of_environment(), {}) {}

DescriptorStore::DescriptorStore(boost::asio::io_context& io, std::string socket,
                                 StoreQueue::Limits limits)
    : io_(io), socket_(io, std::move(socket)), queue_(limits), timer_(io), pause_(kFirstPause) {}

DescriptorStore::~DescriptorStore() = default;

void DescriptorStore::keep(std::string name, int descriptor) {
  if (!available()) return;
  queue_.keep(name, descriptor);
  send_waiting();
}

bool DescriptorStore::keep_first(std::string name, int descriptor, Gone go_on) {
  if (!available() || queue_.has_sent(name)) return true;
  queue_.keep(name, descriptor);
  send_waiting();
  if (queue_.has_sent(name) || !full_) return true;
  auto held = std::make_unique<Held>(io_, std::move(go_on), [this, name] { goes_on(name); });
  held->wait(kKeepPatience);
  held_[name] = std::move(held);
  return false;
}

void DescriptorStore::goes_on(const std::string& name) {
  const auto held = held_.extract(name);
  if (!held.empty()) held.mapped()->take_call()();
}

void DescriptorStore::drop(std::string name, Gone gone) {
  held_.erase(name);
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
    full_ = NotifySocket::passes_by_itself(error);
    if (error == EAGAIN) return send_when_writable();
    if (full_) {
      send_later(pause_);
      pause_ = std::min(pause_ * 2, kLongestPause);
      return;
    }
    if (error != 0) complain(*message, error);
    pause_ = kFirstPause;
    // From the loop: whoever has made this send something is not ready to be called.
    const auto held = held_.find(message->name);
    if (held != held_.end()) held->second->wait(std::chrono::milliseconds(0));
    queue_.take_sent();
  }
  if (queue_.waiting()) send_later(std::chrono::milliseconds(0));
}

int DescriptorStore::send(const StoreQueue::Message& message) {
  if (message.kind == MessageKind::Barrier) return send_barrier(message.barrier);
  return socket_.send(text_of(message), message.descriptor);
}

void DescriptorStore::complain(const StoreQueue::Message& message, int error) {
  if (message.kind == MessageKind::Barrier) return;
  log_limited(spdlog::level::warn, Topic::DescriptorStore,
              "the service manager cannot be told to " +
                  std::string(message.kind == MessageKind::Store ? "keep" : "drop") + " " +
                  message.name + ": " + std::strerror(error) +
                  "; what it does not keep is lost at the next restart");
}

// Nobody but the service manager may hold the other end when it has closed it.
int DescriptorStore::send_barrier(std::uint64_t number) {
  const auto barrier = barriers_.find(number);
  if (barrier == barriers_.end()) return 0;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return EINTR;
  const int error = socket_.send("BARRIER=1", ends[1]);
  ::close(ends[1]);
  if (NotifySocket::passes_by_itself(error)) {
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
  socket_.async_wait_writable(
      [this](const boost::system::error_code& stopped) { send_again(stopped); });
}

void DescriptorStore::send_again(const boost::system::error_code& stopped) {
  if (stopped) return;
  waiting_ = false;
  send_waiting();
}

}  // namespace tbs::host
