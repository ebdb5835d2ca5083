#pragma once

// Connections to a swtpm, over Unix sockets or TCP alike, and one exchange on its control channel.

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/device/swtpm_control.h"
#include "daemon/device/transceiver.h"

namespace tbs::device {

// Where one channel of a swtpm listens.
struct SwtpmAddress {
  std::string path;  // Unix socket; empty for TCP
  std::string host;
  std::uint16_t port = 0;

  [[nodiscard]] std::string text() const;
};

// On the loop's own executor: one of any kind costs each operation more than it does.
using StreamSocket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                                      boost::asio::io_context::executor_type>;

// Resolves and connects, one address after the other. Owned by whoever waits for it: destroyed or
// cancelled, it calls nothing any more.
class SwtpmConnection {
 public:
  // By reference: GCC takes what is handed on by value for uninitialized at -O3.
  using Handler = std::move_only_function<void(const std::expected<StreamSocket*, Failure>&)>;

  SwtpmConnection(boost::asio::io_context& loop, SwtpmAddress address);

  // The socket stays this object's, and does not block. Call it once.
  void connect(Handler handler, std::chrono::milliseconds limit);
  // In place of connect(): a socket that is connected already. An empty pointer, and the descriptor
  // closed, when it cannot be used.
  StreamSocket* take_over(int descriptor, int family);

 private:
  using Endpoint = boost::asio::generic::stream_protocol::endpoint;

  void resolve();
  void try_next(boost::system::error_code last_error);
  void finish(boost::system::error_code error);

  SwtpmAddress address_;
  boost::asio::ip::tcp::resolver resolver_;
  StreamSocket socket_;
  boost::asio::steady_timer timer_;
  std::vector<Endpoint> candidates_;  // last one first
  Handler handler_;
  std::shared_ptr<const void> alive_ = std::make_shared<char>();
};

// Connects to the control channel, asks one thing, takes the answer, disconnects: the channel
// serves one client at a time, and administrators use it too.
class ControlExchange {
 public:
  using Handler = std::move_only_function<void(std::expected<ControlAnswer, Failure>)>;

  ControlExchange(boost::asio::io_context& loop, const SwtpmAddress& address,
                  ControlCommand command, std::uint8_t locality = 0);

  // Calls `handler` once, unless this object is destroyed first. Call it once.
  void start(Handler handler, std::chrono::milliseconds limit);
  // Sets another limit, from now.
  void limit(std::chrono::milliseconds limit);

 private:
  void on_connected(StreamSocket& socket);
  void receive();
  void finish(std::expected<ControlAnswer, Failure> result);
  [[nodiscard]] Failure failure(int error) const;

  SwtpmAddress address_;
  proto::Buffer request_;
  ControlAnswerReader reader_;
  SwtpmConnection connection_;
  boost::asio::steady_timer timer_;
  StreamSocket* socket_ = nullptr;
  std::array<std::uint8_t, 4096> buffer_{};
  Handler handler_;
  std::shared_ptr<const void> alive_ = std::make_shared<char>();
};

}  // namespace tbs::device
