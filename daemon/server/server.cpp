#include "daemon/server/server.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <string>
#include <utility>

#include "daemon/server/client_record.h"
#include "daemon/server/limit_usage.h"
#include "proto/message_codec.h"

namespace tbs::server {
namespace {

using proto::Status;
using proto::Type;

// The message that a handler takes.
template <typename Handler>
struct MessageOf;
template <typename Topic, typename Message>
struct MessageOf<Handled (Topic::*)(Client&, std::uint64_t, const Message&)> {
  using type = Message;
};

}  // namespace

// Who deals with a request, and what a client must be to send it.
struct Server::Route {
  Type type;
  bool needs_context;
  Handled (*handler)(Server&, Client&, const proto::Frame&);

  template <auto kTopic, auto kHandler>
  static constexpr Route of_context() {
    return {MessageOf<decltype(kHandler)>::type::kType, true, &call<kTopic, kHandler>};
  }
  template <auto kTopic, auto kHandler>
  static constexpr Route of_anyone() {
    return {MessageOf<decltype(kHandler)>::type::kType, false, &call<kTopic, kHandler>};
  }
};

Server::Server(const Dependencies& dependencies)
    : environment_(dependencies.environment),
      sink_(dependencies.sink),
      ownership_(dependencies.ownership.ownership()),
      audit_(dependencies.audit_log),
      admission_(sink_, audit_),
      back_pressure_(clients_, environment_, audit_),
      screening_(dependencies.command_table, dependencies.guard, dependencies.ownership, clients_,
                 audit_),
      submissions_(clients_, sink_, back_pressure_, environment_, audit_, capture_),
      handshake_(clients_, sink_, dependencies.settings, admission_, deadlines_, environment_,
                 audit_),
      commands_(sink_, screening_, submissions_, audit_),
      sticky_(sink_),
      inheritance_(clients_, sink_, audit_),
      administration_(clients_, sink_, admission_, back_pressure_,
                      dependencies.ownership.ownership(), environment_, audit_),
      lockout_(dependencies.guard, dependencies.settings, audit_),
      events_(clients_, dependencies.history, environment_),
      captures_(clients_, capture_, environment_, audit_),
      firmware_(clients_, dependencies.firmware, sink_, admission_, audit_),
      maintenance_(clients_, sink_, audit_) {}

void Server::configure(const policy::Limits& limits, const AdministratorRule& administrators,
                       const Permissions& permissions) {
  admission_.configure(limits, permissions);
  set_backlog_limits();
  administrators_ = administrators;
  assign_all_roles();
}

void Server::set_rules(rules::Rules rules) {
  screening_.set_rules(std::move(rules));
  assign_all_roles();
}

void Server::set_tenants(std::vector<SharedProfile> tenants) {
  admission_.set_tenants(std::move(tenants));
  set_backlog_limits();
  assign_all_roles();
  for (const std::uint64_t id : clients_.ids()) {
    Client* const client = clients_.find(id);
    if (client != nullptr && lost_its_tenant(*client)) {
      refuse(*client, {.status = Status::AccessDenied, .reason = "its tenant is no more"});
    }
  }
}

bool Server::lost_its_tenant(const Client& client) const {
  const SharedProfile& socket = client.peer.socket;
  return socket->speaks_for() &&
         std::ranges::find(admission_.tenants(), socket) == admission_.tenants().end();
}

void Server::set_backlog_limits() {
  const policy::Limits& limits = admission_.limits();
  std::unordered_map<AccountId, std::size_t> narrower;
  for (const SharedProfile& tenant : admission_.tenants()) {
    if (const auto user = tenant->speaks_for(); user && tenant->limits) {
      narrower[account_of(*user)] = tenant->limits->backlog_kib_per_user * 1024;
    }
  }
  back_pressure_.set_limits(limits.backlog_kib_per_user * 1024, limits.backlog_kib * 1024,
                            std::move(narrower));
}

// Who is connected stays so, with what the new rules say.
void Server::assign_all_roles() {
  for (auto& [id, client] : clients_.all()) {
    assign_roles(client.peer, administrators_, screening_.rules());
  }
}

std::optional<AccountId> Server::accept(std::uint64_t id, std::shared_ptr<ClientLink> link,
                                        Peer peer) {
  assign_roles(peer, administrators_, screening_.rules());
  Client& client = clients_.add(id, std::move(link), std::move(peer));
  if (!admission_.enter(client.peer)) {
    refuse(client, {.status = Status::TooManyContexts, .reason = "too many connections"});
    return std::nullopt;
  }
  deadlines_.start(id, environment_.now());
  return client.account();
}

std::optional<AccountId> Server::adopt(std::uint64_t id, std::shared_ptr<ClientLink> link,
                                       Peer peer, proto::Bytes opened) {
  assign_roles(peer, administrators_, screening_.rules());
  Client& client = clients_.add(id, std::move(link), std::move(peer));
  if (!opened.empty() && !read_opened(opened, client)) {
    clients_.take(id);
    return std::nullopt;
  }
  // Charged to whom it was, whatever the rules say now.
  assign_roles(client.peer, administrators_, screening_.rules());
  admission_.enter(client.peer);
  if (opened.empty()) {
    deadlines_.start(id, environment_.now());
  } else {
    handshake_.go_on(client);
  }
  return client.account();
}

void Server::adopt_command(std::uint64_t id, Type request, SharedCommand command) {
  Client* const client = clients_.find(id);
  if (client == nullptr) return;
  submissions_.adopt(*client, std::move(command),
                     request == Type::Submit ? ReplyAs::Result : ReplyAs::RevokeAttestationReply);
}

void Server::tick() {
  const TimePoint now = environment_.now();
  for (const std::uint64_t id : deadlines_.take_missed(now)) {
    Client* const client = clients_.find(id);
    if (client == nullptr) continue;
    // What it has said waits for the loop, and the time for that is not the client's.
    if (client->link->has_input()) {
      deadlines_.start(id, now);
    } else {
      refuse(*client, {.status = Status::BadParameter, .reason = "no hello within 5 s"});
    }
  }
}

void Server::on_frame(std::uint64_t id, const proto::Frame& frame) {
  Client* const client = clients_.find(id);
  if (client == nullptr) return;
  const Handled handled = handle(*client, frame);
  // A breach is found before anything is done, so the client is still there.
  if (!handled) refuse(*client, handled.error());
}

template <auto kTopic, auto kHandler>
Handled Server::call(Server& server, Client& client, const proto::Frame& frame) {
  using Message = typename MessageOf<decltype(kHandler)>::type;
  const auto message = proto::decode<Message>(frame.payload);
  if (!message) {
    const auto* const rule = proto::rule_of(proto::number_of(frame.type));
    return breach("a malformed " + std::string(rule->name));
  }
  return ((server.*kTopic).*kHandler)(client, frame.request_id, *message);
}

Handled Server::handle(Client& client, const proto::Frame& frame) {
  static constexpr std::array kRoutes = {
      Route::of_context<&Server::commands_, &CommandRequests::submit>(),
      Route::of_context<&Server::commands_, &CommandRequests::cancel>(),
      Route::of_context<&Server::commands_, &CommandRequests::cancel_command>(),
      Route::of_context<&Server::commands_, &CommandRequests::revoke_attestation>(),
      Route::of_context<&Server::sticky_, &StickyRequests::make_sticky>(),
      Route::of_context<&Server::inheritance_, &InheritanceRequests::inherit_objects>(),
      Route::of_anyone<&Server::handshake_, &Handshake::device_info>(),
      Route::of_anyone<&Server::administration_, &AdministrationRequests::list_contexts>(),
      Route::of_anyone<&Server::administration_, &AdministrationRequests::cancel_context>(),
      Route::of_anyone<&Server::administration_, &AdministrationRequests::daemon_status>(),
      Route::of_anyone<&Server::administration_, &AdministrationRequests::list_limits>(),
      Route::of_anyone<&Server::administration_, &AdministrationRequests::list_tenants>(),
      Route::of_anyone<&Server::administration_, &AdministrationRequests::list_holdings>(),
      Route::of_anyone<&Server::administration_, &AdministrationRequests::list_activity>(),
      Route::of_anyone<&Server::lockout_, &LockoutRequests::status>(),
      Route::of_anyone<&Server::lockout_, &LockoutRequests::reset>(),
      Route::of_anyone<&Server::events_, &EventRequests::read_events>(),
      Route::of_anyone<&Server::captures_, &CaptureRequests::read_capture>(),
      Route::of_anyone<&Server::maintenance_, &MaintenanceRequests::maintenance>(),
      Route::of_anyone<&Server::firmware_, &FirmwareRequests::read_log>(),
      Route::of_anyone<&Server::firmware_, &FirmwareRequests::physical_presence>(),
      Route::of_anyone<&Server::firmware_, &FirmwareRequests::owner_auth>(),
  };
  if (client.stage == Stage::Handshake && frame.type == Type::Hello) {
    return call<&Server::handshake_, &Handshake::hello>(*this, client, frame);
  }
  const auto* const route = std::ranges::find(kRoutes, frame.type, &Route::type);
  if (client.stage != Stage::Open || route == kRoutes.end()) {
    return breach("a message out of place: hello comes first, and once");
  }
  if (route->needs_context && !client.is_context()) {
    return breach("an observer has no TPM to submit to", Status::InvalidContext);
  }
  return route->handler(*this, client, frame);
}

void Server::on_fault(std::uint64_t id, proto::FrameFault fault) {
  Client* const client = clients_.find(id);
  if (client == nullptr) return;
  refuse(*client, {.status = Status::BadParameter, .reason = std::string(fault_text(fault))});
}

void Server::on_kept(std::uint64_t id) {
  if (Client* const client = clients_.find(id)) back_pressure_.update(*client);
}

bool Server::wants_more(std::uint64_t id) {
  Client* const client = clients_.find(id);
  return client == nullptr || back_pressure_.may_read(*client);
}

proto::LimitList Server::limits() const {
  return limit_usage(sink_, admission_, back_pressure_.backlog(), ownership_);
}

std::vector<Server::RoleUsage> Server::usage_by_role() const {
  std::vector<RoleUsage> all;
  for (const rules::Role& role : screening_.rules().roles) all.push_back({.role = role.name});
  // Most contexts are of few users.
  std::map<AccountId, exec::AccountUsage> on_tpm;
  for (const auto& [id, client] : clients_.contexts()) {
    const AccountId account = client->account();
    const auto [found, first] = on_tpm.try_emplace(account);
    if (first) found->second = sink_.usage_of(account);
    for (rules::RoleSet left = client->peer.roles; left != 0; left &= left - 1) {
      const auto role = static_cast<std::size_t>(std::countr_zero(left));
      if (role >= all.size()) continue;
      RoleUsage& of = all[role];
      const auto see = [](std::size_t& most, std::size_t used) { most = std::max(most, used); };
      ++of.contexts;
      see(of.contexts_of_user, admission_.contexts().of(account));
      see(of.objects_of_user, found->second.objects);
      see(of.sessions_of_user, found->second.sessions);
      see(of.backlog_of_user, back_pressure_.backlog().of(account) / 1024);
    }
  }
  return all;
}

void Server::on_closed(std::uint64_t id) {
  drop(id);
}

void Server::stop() {
  stopping_ = true;
  maintenance_.stop();
  for (const std::uint64_t id : clients_.ids()) {
    Client* const client = clients_.find(id);
    if (client != nullptr && client->outstanding.empty()) dismiss(*client);
  }
}

void Server::deliver(const sched::Answer& answer) {
  submissions_.deliver(answer);
  if (!stopping_) return;
  Client* const client = clients_.find(static_cast<std::uint64_t>(answer.context));
  if (client != nullptr && client->outstanding.empty()) dismiss(*client);
}

void Server::close_all() {
  for (const std::uint64_t id : clients_.ids()) {
    Client* const client = clients_.find(id);
    if (client == nullptr) continue;
    stopping_ ? dismiss(*client) : drop(id);
  }
}

// It is told that the daemon stops, and nothing that it has sent since is looked at.
void Server::dismiss(Client& client) {
  client.link->send(0, proto::Refusal{.status = Status::ServiceNotRunning, .reason = "tbsd stops"});
  drop(client.id);
}

void Server::refuse(Client& client, const Breach& breach) {
  audit_.disconnected(client, breach.reason);
  client.link->send(0, proto::Refusal{.status = breach.status, .reason = breach.reason});
  drop(client.id);
}

void Server::drop(std::uint64_t id) {
  auto client = clients_.take(id);
  if (!client) return;
  client->link->close();
  deadlines_.end(id);
  events_.forget(id);
  captures_.forget(id);
  maintenance_.forget(id);
  if (client->is_context()) {
    admission_.close(*client);
    sink_.close_context(client->context());
  }
  admission_.leave(client->account());
  back_pressure_.forget(*client);
}

}  // namespace tbs::server
