#include "daemon/server/connection_manager.h"

#include <memory>
#include <utility>

#include "daemon/server/peer_credentials.h"

namespace tbs::server {

void ConnectionManager::accept(Connection::Socket socket, SharedProfile profile) {
  auto peer = peer_of(socket.native_handle());
  if (!peer) return;  // it has gone already
  peer->socket = std::move(profile);
  const std::uint64_t id = ++last_id_;
  const auto connection = std::make_shared<Connection>(std::move(socket), id, server_);
  if (!server_.accept(id, connection, *std::move(peer))) return;
  connection->start();
  arm_timer();
}

// Only ever moved forward: one that fires too early costs one look.
void ConnectionManager::arm_timer() {
  const auto deadline = server_.next_deadline();
  if (!deadline || (armed_ && *armed_ <= *deadline)) return;
  armed_ = *deadline;
  timer_.expires_at(*deadline);
  timer_.async_wait([this](const boost::system::error_code& stopped) {
    if (stopped) return;
    armed_.reset();
    server_.tick();
    arm_timer();
  });
}

}  // namespace tbs::server
