#pragma once

// Reads from new connections for whom they are (proto/opener.h), before anything is charged to
// anybody. A service sends it at once; one that does not is disconnected after a while.

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "daemon/loop/deferred.h"
#include "daemon/server/connection.h"
#include "proto/opener.h"

namespace tbs::server {

class OpenerReader {
 public:
  using Handler = std::function<void(Connection::Socket, const proto::Opener&)>;

  // The loop must outlive it.
  explicit OpenerReader(boost::asio::io_context& io) : waiting_(io) {}

  // The handler is called from the loop, or never.
  void read(Connection::Socket socket, Handler handler);
  // Who has not said it yet is turned away.
  void stop() { waiting_.drop(); }

 private:
  class Newcomer;

  loop::Deferred waiting_;  // whom newcomers wait for
  std::shared_ptr<int> count_ = std::make_shared<int>(0);
};

}  // namespace tbs::server
