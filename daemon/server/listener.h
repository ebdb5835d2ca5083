#pragma once

// The socket that clients connect to: bound by the daemon, or handed over by systemd.

#include <expected>
#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

namespace tbs::server {

class Listener {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  using AcceptHandler = std::function<void(Socket)>;

  explicit Listener(boost::asio::io_context& io) : acceptor_(io), retry_(io) {}
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Takes over a listening socket from systemd (sd_listen_fds(3)).
  std::expected<void, std::string> adopt(int descriptor);
  // Binds `path` with mode 0666: who may do what is decided by peer credentials, not by the file.
  // A socket that a dead daemon has left there is replaced; one that somebody answers on is not.
  std::expected<void, std::string> bind(const std::string& path);

  void start(AcceptHandler handler);
  // No more connections; a socket file of our own is removed.
  void stop();

 private:
  void accept();
  void accept_waiting();

  boost::asio::local::stream_protocol::acceptor acceptor_;
  boost::asio::steady_timer retry_;
  AcceptHandler handler_;
  std::string own_path_;
};

}  // namespace tbs::server
