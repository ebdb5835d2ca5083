#pragma once

// Brings sockets to the server: finds out who has connected, makes a link of the socket, and wakes
// the server when a deadline is over.

#include <cstdint>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/base/clock.h"
#include "daemon/server/connection.h"
#include "daemon/server/server.h"

namespace tbs::server {

class ConnectionManager {
 public:
  // `server` must outlive it.
  ConnectionManager(boost::asio::io_context& io, Server& server) : server_(server), timer_(io) {}

  // `profile` is that of the listening socket.
  void accept(Connection::Socket socket, SharedProfile profile);

 private:
  void arm_timer();

  Server& server_;
  boost::asio::steady_timer timer_;
  std::optional<TimePoint> armed_;
  std::uint64_t last_id_ = 0;
};

}  // namespace tbs::server
