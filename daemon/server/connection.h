#pragma once

// A link over a socket: takes frames in, sends frames out, and keeps both bounded. It knows frames
// and nothing of their meaning; the owner decides what a frame does and when the connection is to
// be read from.
//
// Frames are handled in turns of the event loop, a few at a time (turn_runner.h).
//
// Back-pressure: while the owner says so (a full window) or the client leaves its answers unread,
// the socket is not read, and the client's own writes block in the kernel. That it has gone is
// noticed all the same.

#include <cstddef>
#include <cstdint>
#include <memory>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "daemon/base/ids.h"
#include "daemon/server/client_keeper.h"
#include "daemon/server/client_link.h"
#include "daemon/server/turn_runner.h"
#include "proto/frame.h"

namespace tbs::server {

class Connection : public ClientLink,
                   public TurnTaker,
                   public std::enable_shared_from_this<Connection> {
 public:
  // On the loop's own executor: one of any kind costs each operation more than it does.
  using Socket = boost::asio::basic_stream_socket<boost::asio::local::stream_protocol,
                                                  boost::asio::io_context::executor_type>;

  // What a connection of the process before this one has left: what the peer has sent that was not
  // handled, and what was not sent to it.
  struct Left {
    proto::Bytes input;
    proto::Bytes output;
  };

  // `owner` and `turns` must outlive it, and `keeper`, if there is one.
  Connection(Socket socket, std::uint64_t id, LinkOwner& owner, TurnRunner& turns,
             ClientKeeper* keeper = nullptr);

  // Before start(), which may come later: until then nothing is read.
  void adopt(const Left& left);
  // Its turns are charged to the account.
  void start(AccountId account);

  void set_window_full(bool full) override;
  void resume() override { proceed(); }
  void close() override;
  [[nodiscard]] std::size_t unsent() const override { return output_.size() - sent_; }
  [[nodiscard]] std::size_t unhandled() const override { return input_.buffered(); }
  [[nodiscard]] bool has_input() override;
  void take_turn() override;

 private:
  proto::Buffer* outgoing() override { return closed_ ? nullptr : &output_; }
  void flush() override;
  // Handles what is there, in a turn, or reads more.
  void proceed();
  void handle_frames();
  void received(std::size_t count);
  void receive_kept();
  void keep_output();
  std::size_t write(boost::system::error_code& error);
  void drained();
  void read();
  void watch();
  void fail();
  [[nodiscard]] bool may_read();
  [[nodiscard]] bool peer_has_gone();

  Socket socket_;
  std::uint64_t id_;
  AccountId account_{};
  LinkOwner& owner_;
  TurnRunner& turns_;
  proto::FrameExtractor input_{proto::Direction::ToDaemon};
  proto::Buffer output_;
  std::size_t sent_ = 0;
  ClientKeeper* keeper_;
  std::size_t kept_ = 0;  // bytes of the output that the keeper has
  bool started_ = false;
  bool reading_ = false;
  bool watching_ = false;
  bool writing_ = false;
  std::size_t told_unhandled_ = 0;
  bool fresh_input_ = false;  // something that was not looked at yet
  bool waits_for_turn_ = false;
  bool in_turn_ = false;
  bool window_full_ = false;
  bool closed_ = false;
};

}  // namespace tbs::server
