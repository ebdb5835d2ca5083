#pragma once

// Brings sockets to the server: finds out who has connected, makes a link of the socket, and wakes
// the server when a deadline is over. What that costs is charged to who has connected, like
// everything that comes after it.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/base/clock.h"
#include "daemon/base/tally.h"
#include "daemon/loop/deferred.h"
#include "daemon/server/account_finder.h"
#include "daemon/server/connection.h"
#include "daemon/server/opener_reader.h"
#include "daemon/server/server.h"
#include "daemon/server/turn_runner.h"

namespace tbs::server {

class ConnectionManager {
 public:
  // All must outlive it; turns and accounts can be those of several managers.
  ConnectionManager(boost::asio::io_context& io, Server& server, TurnRunner& turns,
                    AccountFinder& accounts)
      : server_(server),
        turns_(turns),
        accounts_(accounts),
        openers_(io),
        waiting_(io),
        timer_(io) {}

  // `profile` is that of the listening socket.
  void accept(Connection::Socket socket, SharedProfile profile);
  // Null: nothing is kept. It must outlive this, or be taken back.
  void set_keeper(ClientKeeper* keeper) { keeper_ = keeper; }
  // Those who come from now on have higher numbers than this.
  void skip_ids(std::uint64_t last) { last_id_ = std::max(last_id_, last); }
  // A client of the process before this one. Its link reads nothing before it is started; null when
  // what was kept of it makes no sense.
  struct Adopted {
    std::shared_ptr<Connection> link;
    AccountId account{};
  };
  std::optional<Adopted> adopt(Connection::Socket socket, std::uint64_t id, Peer peer,
                               proto::Bytes opened, const Connection::Left& left);
  // Who has connected and waits for a turn is turned away.
  void stop();

 private:
  // A socket whose peer has not been looked at yet.
  class Newcomer;

  [[nodiscard]] AccountId account_of_newcomer(UserId user, const SocketProfile& profile);
  void queue(AccountId account, Connection::Socket socket, SharedProfile profile,
             std::optional<proto::Opener> opener);
  void enter(Connection::Socket socket, SharedProfile profile,
             const std::optional<proto::Opener>& opener);
  void arm_timer();

  Server& server_;
  TurnRunner& turns_;
  AccountFinder& accounts_;
  OpenerReader openers_;
  loop::Deferred waiting_;  // whom newcomers wait for
  Tally<AccountId> newcomers_;
  boost::asio::steady_timer timer_;
  std::optional<TimePoint> armed_;
  std::uint64_t last_id_ = 0;
  ClientKeeper* keeper_ = nullptr;
};

}  // namespace tbs::server
