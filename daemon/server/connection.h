#pragma once

// One client's socket: takes frames in, sends frames out, and keeps both bounded. It knows frames
// and nothing of their meaning; the owner decides what a frame does and when the connection is to
// be read from.
//
// Back-pressure: while the owner says so (a full window) or the client leaves its answers unread,
// the socket is not read, and the client's own writes block in the kernel. That it has gone is
// noticed all the same.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "proto/frame.h"
#include "proto/message_codec.h"

namespace tbs::server {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  // What the owner is told. No call arrives after on_closed().
  class Owner {
   public:
    virtual ~Owner() = default;
    // A whole frame. The owner may close the connection from within.
    virtual void on_frame(Connection& connection, const proto::Frame& frame) = 0;
    virtual void on_fault(Connection& connection, proto::FrameFault fault) = 0;
    // The peer has gone, or the socket failed. Not called for a close() of the owner's own.
    virtual void on_closed(Connection& connection) = 0;
    // What was sent has been taken by the socket, or part of it.
    virtual void on_drained(Connection& connection) = 0;
    // Whether the owner wants more from it at all. When that changes it calls resume().
    [[nodiscard]] virtual bool wants_more(const Connection& connection) const = 0;
  };

  Connection(Socket socket, std::uint64_t id, Owner& owner);

  void start();

  // Queues one frame and sends as much as the socket takes at once.
  template <typename Message>
  void send(std::uint64_t request_id, Message message) {
    if (closed_) return;
    proto::append_frame(output_, request_id, std::move(message));
    flush();
  }

  // Stops or resumes reading; frames already received wait as well.
  void set_window_full(bool full);
  // Goes on reading where the owner did not want more.
  void resume() { process(); }

  // Closes the socket after what was queued has been sent as far as the socket takes it at once.
  void close();

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] std::size_t unsent() const { return output_.size() - sent_; }

 private:
  void process();
  void read();
  void watch();
  void flush();
  void fail();
  [[nodiscard]] bool may_read() const;
  [[nodiscard]] bool peer_has_gone();

  Socket socket_;
  std::uint64_t id_;
  Owner& owner_;
  proto::FrameExtractor input_{proto::Direction::ToDaemon};
  proto::Buffer output_;
  std::size_t sent_ = 0;
  bool reading_ = false;
  bool watching_ = false;
  bool writing_ = false;
  bool processing_ = false;
  bool window_full_ = false;
  bool closed_ = false;
};

}  // namespace tbs::server
