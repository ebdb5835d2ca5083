#include "daemon/server/server.h"

#include <algorithm>
#include <array>
#include <utility>

#include <spdlog/spdlog.h>

namespace tbs::server {
namespace {

using proto::Frame;
using proto::Status;
using proto::Type;

// A peer that connects and says nothing holds a place that others could use.
constexpr std::chrono::seconds kGreetingDeadline{5};

}  // namespace

// Which requests are understood, and what a connection must be to send them.
struct Server::Route {
  Type type;
  bool needs_context;
  Handler handler;
};

Server::Server(boost::asio::io_context& io, Pump& pump, Parts parts)
    : io_(io), pump_(pump), parts_(std::move(parts)), started_(std::chrono::steady_clock::now()) {}

void Server::configure(const Limits& limits, const AdministratorRule& administrators,
                       const Permissions& permissions) {
  limits_ = limits;
  administrators_ = administrators;
  permissions_ = permissions;
}

void Server::accept(Connection::Socket socket) {
  const auto peer = peer_of(socket.native_handle(), administrators_);
  if (!peer) return;  // it has gone already
  const std::uint64_t id = ++last_id_;
  auto connection = std::make_shared<Connection>(std::move(socket), id, *this);
  Client& client = clients_[id];
  client.connection = connection;
  client.peer = *peer;
  if (clients_.size() > limits_.connections) {
    refuse(client, Status::TooManyContexts, "too many connections");
    return;
  }
  start_greeting_deadline(client);
  connection->start();
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
  client.outstanding_bytes -= request->second;
  client.outstanding.erase(request);
  const auto connection = client.connection;
  if (client.revoke_id == static_cast<std::uint64_t>(answer.request)) {
    answer_revoke(client, answer);
    return;
  }
  connection->send(static_cast<std::uint64_t>(answer.request),
                   proto::Result{.status = answer.status, .response = answer.response});
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
  };
  const auto entry = clients_.find(connection.id());
  if (entry == clients_.end()) return;
  Client& client = entry->second;
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

void Server::on_closed(Connection& connection) {
  drop(connection.id());
}

void Server::refuse(Client& client, Status status, const std::string& reason) {
  spdlog::warn("closing the connection of {} (pid {}, uid {}): {}", client.peer.program,
               client.peer.pid, static_cast<std::uint32_t>(client.peer.user), reason);
  const auto connection = client.connection;
  connection->send(0, proto::Refusal{.status = status, .reason = reason});
  drop(connection->id());
}

void Server::drop(std::uint64_t id) {
  const auto entry = clients_.find(id);
  if (entry == clients_.end()) return;
  const auto connection = entry->second.connection;
  const bool was_context = entry->second.is_context();
  clients_.erase(entry);
  connection->close();
  if (!was_context) return;
  --contexts_;
  if (raw_context_ == id) raw_context_.reset();
  pump_.close_context(ContextId{id});
}

}  // namespace tbs::server
