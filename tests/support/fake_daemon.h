#pragma once

// The daemon's end of the wire, played by a test: for what a real tbsd never does (dying in the
// middle of a frame, answering in a strange order, sending nonsense) and for what depends on timing
// that a TPM would not keep.
//
// One thread accepts, and one per connection runs the handler. The socket lies in a folder of its
// own. Destroying the object ends all connections and joins the threads.

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/message_codec.h"
#include "proto/tpm/constants.h"

namespace tbs::test {

// One client's connection, seen from the daemon.
class Peer {
 public:
  explicit Peer(int socket) : socket_(socket) {}

  // The next frame; nothing at the end of the connection. Valid until the next call.
  std::optional<proto::Frame> next() {
    for (;;) {
      const auto frame = frames_.next();
      if (!frame) return std::nullopt;
      if (*frame) return **frame;
      const auto room = frames_.writable();
      const ssize_t count = ::recv(socket_, room.data(), room.size(), 0);
      if (count <= 0) return std::nullopt;
      frames_.commit(static_cast<std::size_t>(count));
    }
  }

  // The id of the next frame, which has to be of this type; 0 otherwise.
  std::uint64_t expect(proto::Type type) {
    const auto frame = next();
    return frame && frame->type == type ? frame->request_id : 0;
  }

  template <typename Message>
  void send(std::uint64_t id, const Message& message) {
    proto::Buffer out;
    proto::append_frame(out, id, message);
    send_raw(out);
  }

  void send_raw(proto::Bytes bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
  }

  // Answers the client's hello.
  bool handshake(const proto::HelloReply& terms) {
    const auto hello = next();
    if (!hello || hello->type != proto::Type::Hello) return false;
    send(hello->request_id, terms);
    return true;
  }

  void close() { ::shutdown(socket_, SHUT_RDWR); }

 private:
  int socket_;
  proto::FrameExtractor frames_{proto::Direction::ToDaemon};
};

inline proto::HelloReply usual_terms() {
  return {.context = 7, .max_command = 4096, .max_response = 4096};
}

class FakeDaemon {
 public:
  using Handler = std::function<void(Peer&)>;

  explicit FakeDaemon(Handler handler) : handler_(std::move(handler)) {
    char folder[] = "/tmp/tbs-test-XXXXXX";
    if (::mkdtemp(folder) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = folder;
    start(folder_ + "/socket");
  }
  // One that is started again: on the path of another, which has gone. The folder is the caller's.
  FakeDaemon(Handler handler, const std::string& path) : handler_(std::move(handler)) {
    start(path);
  }

  ~FakeDaemon() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (Served& each : served_) {
      ::shutdown(each.socket, SHUT_RDWR);
      each.thread.join();
      ::close(each.socket);
    }
    ::close(listener_);
    ::unlink(path_.c_str());
    if (!folder_.empty()) ::rmdir(folder_.c_str());
  }
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Served {
    int socket;
    std::thread thread;
  };

  void start(const std::string& path) {
    path_ = path;
    listen();
    acceptor_ = std::thread([this] { accept(); });
  }

  void listen() {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(listener_, generic, sizeof address) != 0 || ::listen(listener_, 64) != 0) {
      throw std::runtime_error("cannot listen on " + path_);
    }
  }

  void accept() {
    while (!stopping_) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) continue;
      Served& served = served_.emplace_back(Served{.socket = socket, .thread = {}});
      served.thread = std::thread([this, socket] {
        Peer peer(socket);
        handler_(peer);
        peer.close();
      });
    }
  }

  Handler handler_;
  std::string folder_;
  std::string path_;
  int listener_ = -1;
  std::atomic<bool> stopping_{false};
  std::list<Served> served_;  // the acceptor's, until it is joined
  std::thread acceptor_;
};

// A whole TPM command (or response) of this size with the code in its header; the rest is filled
// with the low byte of the code.
inline proto::Buffer tpm_message(std::uint32_t code, std::size_t size = 12) {
  proto::Buffer out;
  proto::ByteWriter writer(out);
  writer.be16(tpm::kTagNoSessions);
  writer.be32(static_cast<std::uint32_t>(size));
  writer.be32(code);
  out.resize(size, static_cast<std::uint8_t>(code));
  return out;
}

// The code in the header of a command.
inline std::uint32_t code_of(proto::Bytes message) {
  proto::ByteReader reader(message);
  reader.skip(6);
  return reader.be32();
}

// Answers every command with itself and every cancel with success, as long as the client stays.
inline void echo(Peer& peer) {
  if (!peer.handshake(usual_terms())) return;
  while (const auto frame = peer.next()) {
    if (frame->type == proto::Type::Cancel) {
      peer.send(frame->request_id, proto::CancelReply{});
    } else if (const auto submit = proto::decode<proto::Submit>(frame->payload)) {
      peer.send(frame->request_id, proto::Result{.response = submit->command});
    }
  }
}

}  // namespace tbs::test
