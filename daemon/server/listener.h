#pragma once

// A socket that clients connect to: bound by the daemon, or handed over by systemd.

#include <chrono>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include <sys/types.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

namespace tbs::server {

// A socket's file, and who may open it.
struct SocketFile {
  std::string path;
  mode_t mode = 0666;
  std::optional<gid_t> group = std::nullopt;  // else the daemon's own

  bool operator==(const SocketFile&) const = default;
};

class Listener {
 public:
  // Those of the connections (connection.h), with the loop's own executor.
  using Executor = boost::asio::io_context::executor_type;
  using Socket = boost::asio::basic_stream_socket<boost::asio::local::stream_protocol, Executor>;
  using AcceptHandler = std::function<void(Socket)>;

  explicit Listener(boost::asio::io_context& io) : acceptor_(io), retry_(io) {}
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Takes over a listening socket from systemd (sd_listen_fds(3)); `own`: it is this daemon's, with
  // its file.
  std::expected<void, std::string> adopt(int descriptor, bool own = false);
  // A socket that a dead daemon has left there is replaced; one that somebody answers on is not.
  std::expected<void, std::string> bind(const SocketFile& file);

  [[nodiscard]] int descriptor() { return acceptor_.native_handle(); }
  // Whether it is this daemon's, with its file.
  [[nodiscard]] bool own() const { return !own_path_.empty(); }
  void start(AcceptHandler handler);
  // No more connections; a socket file of our own is removed. What has already been accepted may
  // still be on its way through the loop, which must not find the listener gone.
  void stop();

 private:
  std::expected<void, std::string> make_way(const std::string& path);
  void accept();
  // Those who wait in the kernel; false when there may be more.
  bool accept_waiting();
  void accept_after(std::chrono::milliseconds pause);

  boost::asio::basic_socket_acceptor<boost::asio::local::stream_protocol, Executor> acceptor_;
  boost::asio::steady_timer retry_;
  AcceptHandler handler_;
  std::string own_path_;
};

}  // namespace tbs::server
