#include "daemon/server/server.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/fmt/fmt.h>

#include "daemon/host/audit.h"

namespace tbs::server {
namespace {

using proto::Frame;
using proto::Status;
using proto::Type;

// A peer that connects and says nothing holds a place that others could use.
constexpr std::chrono::seconds kGreetingDeadline{5};

// Connections that are no context: tools that look at the daemon, and clients that have just come.
constexpr std::size_t kExtraConnections = 64;
constexpr std::size_t kExtraConnectionsOfUser = 32;

void count_down(std::unordered_map<UserId, std::size_t>& counts, UserId user) {
  const auto entry = counts.find(user);
  if (--entry->second == 0) counts.erase(entry);
}

}  // namespace

// Which requests are understood, and what a connection must be to send them.
struct Server::Route {
  Type type;
  bool needs_context;
  Handler handler;
};

Server::Server(boost::asio::io_context& io, Pump& pump, Dependencies dependencies)
    : io_(io),
      pump_(pump),
      dependencies_(dependencies),
      started_(std::chrono::steady_clock::now()),
      command_filter_(dependencies_.commands) {
  dependencies_.lockout.set_judge([this](ContextId context, proto::Bytes command) {
    return judge_authorization(context, command);
  });
}

void Server::configure(const policy::Limits& limits, const AdministratorRule& administrators,
                       const Permissions& permissions) {
  limits_ = limits;
  backlog_.set_limits(limits.backlog_kib_per_user * 1024, limits.backlog_kib * 1024);
  administrators_ = administrators;
  permissions_ = permissions;
  for (auto& [id, client] : clients_)
    assign_roles(client.peer, administrators_, command_filter_.rules());
}

// Who is connected stays so, with what the new rules say.
void Server::set_rules(policy::Rules rules) {
  command_filter_.set_rules(std::move(rules));
  for (auto& [id, client] : clients_)
    assign_roles(client.peer, administrators_, command_filter_.rules());
}

void Server::set_guard(const policy::LockoutLimits& limits, std::string_view known,
                       std::function<void(std::string)> changed) {
  command_filter_.guard().set_limits(limits);
  command_filter_.guard().from_text(known, wall_clock());
  guard_changed_ = std::move(changed);
}

void Server::accept(Connection::Socket socket) {
  auto peer = peer_of(socket.native_handle());
  if (!peer) return;  // it has gone already
  assign_roles(*peer, administrators_, command_filter_.rules());
  const std::uint64_t id = ++last_id_;
  auto connection = std::make_shared<Connection>(std::move(socket), id, *this);
  Client& client = clients_[id];
  client.connection = connection;
  client.peer = *peer;
  const std::size_t of_user = ++connections_of_user_[peer->user];
  if (clients_.size() > limits_.contexts + kExtraConnections ||
      of_user > connections_allowed(*peer)) {
    refuse(client, Status::TooManyContexts, "too many connections");
    return;
  }
  start_greeting_deadline(client);
  connection->start();
}

// Administrators can always look at a daemon that somebody else has filled.
std::size_t Server::connections_allowed(const Peer& peer) const {
  if (peer.administrator) return limits_.contexts + kExtraConnections;
  return std::min(limits_.contexts_per_user, limits_.contexts) + kExtraConnectionsOfUser;
}

void Server::start_greeting_deadline(Client& client) {
  client.greeting_deadline = std::make_unique<boost::asio::steady_timer>(io_, kGreetingDeadline);
  client.greeting_deadline->async_wait(
      [this, id = client.connection->id()](const boost::system::error_code& stopped) {
        const auto entry = clients_.find(id);
        if (stopped || entry == clients_.end()) return;
        refuse(entry->second, Status::BadParameter, "no hello within 5 s");
      });
}

void Server::deliver(sched::Answer answer) {
  const auto id = static_cast<std::uint64_t>(answer.context);
  const auto entry = clients_.find(id);
  if (entry == clients_.end()) return;
  Client& client = entry->second;
  const auto request = client.outstanding.find(static_cast<std::uint64_t>(answer.request));
  if (request == client.outstanding.end()) return;
  client.outstanding_bytes -= request->second.bytes;
  const Outstanding asked = request->second;
  client.outstanding.erase(request);
  note_answer(client, asked, answer);
  const auto connection = client.connection;
  if (client.revoke_id == static_cast<std::uint64_t>(answer.request)) {
    answer_revoke(client, answer);
    return;
  }
  connection->send(static_cast<std::uint64_t>(answer.request),
                   proto::Result{.status = answer.status, .response = answer.response});
  update_backlog(client);
  connection->set_window_full(false);
}

void Server::device_changed() {
  std::vector<std::uint64_t> waiting;
  for (const auto& [id, client] : clients_) {
    if (client.stage == Stage::Waiting || client.device_info_id) waiting.push_back(id);
  }
  // An answer may end its connection, and with it others of the list: each is looked up anew.
  for (const std::uint64_t id : waiting) {
    const auto entry = clients_.find(id);
    if (entry == clients_.end()) continue;
    if (entry->second.stage == Stage::Waiting) {
      answer_hello(entry->second);
    } else {
      answer_device_info(entry->second);
    }
  }
}

void Server::close_all() {
  while (!clients_.empty()) drop(clients_.begin()->first);
}

void Server::on_frame(Connection& connection, const Frame& frame) {
  const auto entry = clients_.find(connection.id());
  if (entry == clients_.end()) return;
  handle(entry->second, frame);
}

void Server::handle(Client& client, const Frame& frame) {
  static constexpr std::array kRoutes = {
      Route{Type::Submit, true, &Server::handle_submit},
      Route{Type::Cancel, true, &Server::handle_cancel},
      Route{Type::DeviceInfo, false, &Server::handle_device_info},
      Route{Type::ListContexts, false, &Server::handle_list_contexts},
      Route{Type::CancelContext, false, &Server::handle_cancel_context},
      Route{Type::MakeSticky, true, &Server::handle_make_sticky},
      Route{Type::DaemonStatus, false, &Server::handle_daemon_status},
      Route{Type::ReadLog, false, &Server::handle_read_log},
      Route{Type::PhysicalPresence, false, &Server::handle_physical_presence},
      Route{Type::OwnerAuth, false, &Server::handle_owner_auth},
      Route{Type::RevokeAttestation, true, &Server::handle_revoke_attestation},
      Route{Type::ListLimits, false, &Server::handle_list_limits},
      Route{Type::LockoutStatus, false, &Server::handle_lockout_status},
      Route{Type::LockoutReset, false, &Server::handle_lockout_reset},
  };
  if (client.stage == Stage::Greeting && frame.type == Type::Hello) {
    handle_hello(client, frame);
    return;
  }
  const auto* const route = std::ranges::find(kRoutes, frame.type, &Route::type);
  if (client.stage != Stage::Open || route == kRoutes.end()) {
    refuse(client, Status::BadParameter, "a message out of place: hello comes first, and once");
  } else if (route->needs_context && !client.is_context()) {
    refuse(client, Status::InvalidContext, "an observer has no TPM to submit to");
  } else {
    (this->*route->handler)(client, frame);
  }
}

void Server::on_fault(Connection& connection, proto::FrameFault fault) {
  const auto entry = clients_.find(connection.id());
  if (entry == clients_.end()) return;
  refuse(entry->second, Status::BadParameter, std::string(fault_text(fault)));
}

void Server::on_drained(Connection& connection) {
  const auto entry = clients_.find(connection.id());
  if (entry != clients_.end()) update_backlog(entry->second);
}

bool Server::wants_more(const Connection& connection) const {
  const auto entry = clients_.find(connection.id());
  return entry == clients_.end() || backlog_.may_read(connection.id(), entry->second.peer.user);
}

void Server::update_backlog(Client& client) {
  const UserId user = client.peer.user;
  const bool was_full = backlog_.full(user);
  backlog_.set(client.connection->id(), user,
               client.outstanding_bytes + client.connection->unsent());
  const bool full = backlog_.full(user);
  if (full && !was_full) {
    host::audit(
        spdlog::level::info, proto::Event::Backlog, fields_of(client),
        fmt::format("uid {} has {} KiB waiting; its clients are not read from until that is less",
                    static_cast<std::uint32_t>(user), backlog_.of(user) / 1024));
  }
  if (was_full && !full) resume_clients_of(user);
}

// In turn, so that the same connections are not always the first to fill up what has become free.
// Told from the loop: whoever calls is not ready to see clients come and go under its hands.
void Server::resume_clients_of(UserId user) {
  boost::asio::post(io_, [this, user] {
    std::vector<std::shared_ptr<Connection>> held_up;
    const auto collect = [&](auto from, auto to) {
      for (; from != to; ++from) {
        if (from->second.peer.user == user) held_up.push_back(from->second.connection);
      }
    };
    const auto middle = clients_.upper_bound(last_resumed_);
    collect(middle, clients_.end());
    collect(clients_.begin(), middle);
    for (const auto& connection : held_up) {
      if (backlog_.full(user)) break;
      last_resumed_ = connection->id();
      connection->resume();
    }
  });
}

void Server::on_closed(Connection& connection) {
  drop(connection.id());
}

void Server::refuse(Client& client, Status status, const std::string& reason) {
  host::audit(spdlog::level::warn, proto::Event::Refused, fields_of(client),
              fmt::format("closing the connection of {}: {}", name_of(client), reason));
  const auto connection = client.connection;
  connection->send(0, proto::Refusal{.status = status, .reason = reason});
  drop(connection->id());
}

void Server::drop(std::uint64_t id) {
  const auto entry = clients_.find(id);
  if (entry == clients_.end()) return;
  const auto connection = entry->second.connection;
  const bool was_context = entry->second.is_context();
  const UserId user = entry->second.peer.user;
  clients_.erase(entry);
  connection->close();
  count_down(connections_of_user_, user);
  if (was_context) {
    --contexts_;
    count_down(contexts_of_user_, user);
    if (raw_context_ == id) raw_context_.reset();
    pump_.close_context(ContextId{id});
  }
  const bool was_full = backlog_.full(user);
  backlog_.erase(id);
  if (was_full && !backlog_.full(user)) resume_clients_of(user);
}

}  // namespace tbs::server
