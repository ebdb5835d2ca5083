#include "daemon/server/connection_manager.h"

#include <memory>
#include <utility>

#include "daemon/server/peer_credentials.h"

namespace tbs::server {

namespace {

// Of one account, that wait for a turn. Its turns are short, so only one that connects faster than
// its part of the loop allows has more.
constexpr std::size_t kMostNewcomers = 256;

}  // namespace

class ConnectionManager::Newcomer : public TurnTaker {
 public:
  Newcomer(ConnectionManager& manager, AccountId account, Connection::Socket socket,
           SharedProfile profile, std::optional<proto::Opener> opener)
      : manager_(manager),
        account_(account),
        socket_(std::move(socket)),
        profile_(std::move(profile)),
        opener_(opener),
        wanted_(manager.waiting_.watch()) {
    manager_.newcomers_.add(account_);
  }

  void take_turn() override {
    if (wanted_.expired()) return;
    manager_.newcomers_.remove(account_);
    manager_.enter(std::move(socket_), std::move(profile_), opener_);
  }

 private:
  ConnectionManager& manager_;
  AccountId account_;
  Connection::Socket socket_;
  SharedProfile profile_;
  std::optional<proto::Opener> opener_;
  std::weak_ptr<const void> wanted_;
};

void ConnectionManager::accept(Connection::Socket socket, SharedProfile profile) {
  if (profile->delegates) {
    openers_.read(std::move(socket), [this, profile = std::move(profile)](
                                         Connection::Socket named, const proto::Opener& opener) {
      queue(accounts_.account_of(UserId{opener.uid}), std::move(named), profile, opener);
    });
    return;
  }
  const auto user = user_of_peer(socket.native_handle());
  if (!user) return;  // it has gone already
  const AccountId account = account_of_newcomer(*user, *profile);
  queue(account, std::move(socket), std::move(profile), std::nullopt);
}

void ConnectionManager::queue(AccountId account, Connection::Socket socket, SharedProfile profile,
                              std::optional<proto::Opener> opener) {
  if (newcomers_.of(account) >= kMostNewcomers) return;
  turns_.want(account, std::make_shared<Newcomer>(*this, account, std::move(socket),
                                                  std::move(profile), opener));
}

void ConnectionManager::stop() {
  openers_.stop();
  waiting_.drop();
  timer_.cancel();
}

// As far as it is known without a look at its process.
AccountId ConnectionManager::account_of_newcomer(UserId user, const SocketProfile& profile) {
  if (const auto tenant = profile.speaks_for()) return account_of(*tenant);
  if (profile.highest == HighestRole::Administrator) return administrators_account(user);
  return accounts_.account_of(user);
}

void ConnectionManager::enter(Connection::Socket socket, SharedProfile profile,
                              const std::optional<proto::Opener>& opener) {
  auto peer = opener ? peer_of(*opener, accounts_) : peer_of(socket.native_handle(), accounts_);
  if (!peer) return;
  peer->socket = std::move(profile);
  const std::uint64_t id = ++last_id_;
  const int descriptor = socket.native_handle();
  const auto connection =
      std::make_shared<Connection>(std::move(socket), id, server_, turns_, keeper_);
  if (keeper_ != nullptr) keeper_->connected(id, *peer, descriptor);
  const auto account = server_.accept(id, connection, *std::move(peer));
  if (!account) return;
  connection->start(*account);
  arm_timer();
}

std::optional<ConnectionManager::Adopted> ConnectionManager::adopt(Connection::Socket socket,
                                                                   std::uint64_t id, Peer peer,
                                                                   proto::Bytes opened,
                                                                   const Connection::Left& left) {
  auto connection = std::make_shared<Connection>(std::move(socket), id, server_, turns_, keeper_);
  connection->adopt(left);
  const auto account = server_.adopt(id, connection, std::move(peer), opened);
  if (!account) {
    connection->close();
    return std::nullopt;
  }
  arm_timer();
  return Adopted{.link = std::move(connection), .account = *account};
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
