#pragma once

// A link over a socket: takes frames in, sends frames out, and keeps both bounded. It knows frames
// and nothing of their meaning; the owner decides what a frame does and when the connection is to
// be read from.
//
// Back-pressure: while the owner says so (a full window) or the client leaves its answers unread,
// the socket is not read, and the client's own writes block in the kernel. That it has gone is
// noticed all the same.

#include <cstddef>
#include <cstdint>
#include <memory>

#include <boost/asio/local/stream_protocol.hpp>

#include "daemon/server/client_link.h"
#include "proto/frame.h"

namespace tbs::server {

class Connection : public ClientLink, public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  // `owner` must outlive it.
  Connection(Socket socket, std::uint64_t id, LinkOwner& owner);

  void start();

  void set_window_full(bool full) override;
  void resume() override { process(); }
  void close() override;
  [[nodiscard]] std::size_t unsent() const override { return output_.size() - sent_; }

 private:
  proto::Buffer* outgoing() override { return closed_ ? nullptr : &output_; }
  void flush() override;
  void process();
  void read();
  void watch();
  void fail();
  [[nodiscard]] bool may_read() const;
  [[nodiscard]] bool peer_has_gone();

  Socket socket_;
  std::uint64_t id_;
  LinkOwner& owner_;
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
