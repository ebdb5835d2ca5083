// What each request of a client does. The frames were checked against the table of messages, so a
// payload that does not decode is a peer that breaks the protocol.

#include <algorithm>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "daemon/host/audit.h"
#include "daemon/host/memory_reserve.h"
#include "daemon/policy/priority.h"
#include "daemon/server/server.h"
#include "proto/tpm_header.h"
#include "version.h"

namespace tbs::server {

using proto::Frame;
using proto::Status;

namespace {

constexpr std::uint32_t kMaxLocality = 4;

std::uint64_t microseconds(Duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

}  // namespace

void Server::handle_hello(Client& client, const Frame& frame) {
  const auto hello = proto::decode<proto::Hello>(frame.payload);
  if (!hello || hello->version_min > proto::kProtocolVersion ||
      hello->version_max < proto::kProtocolVersion ||
      (hello->role != proto::Role::Context && hello->role != proto::Role::Observer)) {
    refuse(client, Status::InvalidContextParam, "a hello of an unknown version or role");
    return;
  }
  client.greeting_deadline.reset();
  client.hello_id = frame.request_id;
  client.role = hello->role;
  client.wanted = hello->wanted;
  client.stage = Stage::Waiting;
  // An observer may look at a daemon that has no device; a context waits until one is there or not.
  if (client.role == proto::Role::Observer ||
      pump_.device_state() != proto::DeviceState::Starting) {
    answer_hello(client);
  }
}

Status Server::admit(const Client& client) const {
  if (client.role == proto::Role::Observer) return Status::Success;
  // A raw context is alone.
  if (raw_context_ || (contexts_ > 0 && wants_raw(client))) return Status::TooManyContexts;
  const auto of_user = contexts_of_user_.find(client.peer.user);
  const std::size_t held = of_user == contexts_of_user_.end() ? 0 : of_user->second;
  if (contexts_ >= limits_.contexts ||
      (held >= limits_.contexts_per_user && !client.peer.administrator)) {
    host::audit(
        spdlog::level::warn, proto::Event::Admission, fields_of(client),
        fmt::format("no context for {}: {} are open, {} of them this user's; see max-contexts and "
                    "max-contexts-per-user",
                    name_of(client), contexts_, held));
    return Status::TooManyContexts;
  }
  const exec::TpmIdentity& tpm = pump_.identity();
  if (tpm.version == 0) return pump_.missing_device_status();
  const std::uint32_t present = tpm.version == 1 ? proto::kWantTpm12 : proto::kWantTpm20;
  return (client.wanted & present) != 0 ? Status::Success : Status::TpmNotFound;
}

bool Server::wants_raw(const Client& client) const {
  return (client.wanted & proto::kWantRaw) != 0 && client.peer.administrator &&
         permissions_.raw_contexts;
}

void Server::answer_hello(Client& client) {
  const Status status = admit(client);
  const auto connection = client.connection;
  const std::uint64_t id = connection->id();
  const bool context = status == Status::Success && client.role == proto::Role::Context;
  client.stage = Stage::Open;
  if (status != Status::Success) client.role = proto::Role::Observer;
  if (context) {
    ++contexts_;
    if (wants_raw(client)) {
      raw_context_ = id;
      dependencies_.gate.claim(ContextId{id});
      host::audit(spdlog::level::info, proto::Event::Connected, fields_of(client),
                  fmt::format("context {} of {} has the TPM to itself", id, name_of(client)));
    }
    ++contexts_of_user_[client.peer.user];
    pump_.open_context(ContextId{id}, client.peer.user);
    // In the journal for who wants it, yet no line of the ordinary log for each client.
    host::audit(spdlog::level::debug, proto::Event::Connected, fields_of(client),
                fmt::format("context {} is of {}", id, name_of(client)));
  }
  connection->send(client.hello_id, proto::HelloReply{.status = status,
                                                      .context = context ? id : 0,
                                                      .max_command = pump_.max_command(),
                                                      .max_response = pump_.max_command()});
}

void Server::handle_submit(Client& client, const Frame& frame) {
  const auto submit = proto::decode<proto::Submit>(frame.payload);
  if (!submit || client.outstanding.contains(frame.request_id)) {
    refuse(client, Status::BadParameter, "a submit that is malformed or repeats a request id");
    return;
  }
  // The kernel always speaks to its chip at locality 0.
  const std::uint32_t max_locality = pump_.facts().localities ? kMaxLocality : 0;
  Status status = Status::Success;
  if (!proto::read_tpm_header(submit->command) || submit->locality > max_locality) {
    status = Status::BadParameter;
  } else if (submit->command.size() > pump_.max_command()) {
    status = Status::BufferTooLarge;
  } else if (submit->locality != 0 && !client.peer.administrator) {
    status = Status::AccessDenied;
  }
  if (status == Status::Success && host::memory_is_short()) {
    host::audit(spdlog::level::err, proto::Event::Memory, fields_of(client),
                "out of memory: commands fail until there is some; raise MemoryMax, or lower "
                "max-backlog and max-contexts");
    status = Status::TooManyResources;
  }
  const auto connection = client.connection;
  if (status != Status::Success) {
    connection->send(frame.request_id, proto::Result{.status = status, .response = {}});
    return;
  }
  client.last_priority = policy::cap_priority(submit->priority, client.peer.administrator);
  if (!let_through(client, frame.request_id, *submit)) return;
  ++client.submitted;
  const std::uint32_t family = pump_.identity().version;
  client.outstanding.emplace(
      frame.request_id,
      Outstanding{.bytes = submit->command.size(),
                  .command = policy::effective_code(submit->command, family),
                  .embedded = family == 1 && policy::embedded_command(submit->command)});
  client.outstanding_bytes += submit->command.size();
  update_backlog(client);
  if (client.outstanding.size() >= proto::kMaxOutstanding) connection->set_window_full(true);
  pump_.submit({.context = ContextId{connection->id()},
                .id = RequestId{frame.request_id},
                .priority = client.last_priority,
                .locality = static_cast<std::uint8_t>(submit->locality),
                .command = {submit->command.begin(), submit->command.end()},
                .user = client.peer.user,
                .administrator = client.peer.administrator});
}

void Server::handle_cancel(Client& client, const Frame& frame) {
  const auto connection = client.connection;
  pump_.cancel(ContextId{connection->id()});
  connection->send(frame.request_id, proto::CancelReply{});
}

void Server::handle_make_sticky(Client& client, const Frame& frame) {
  const auto request = proto::decode<proto::MakeSticky>(frame.payload);
  if (!request) {
    refuse(client, Status::BadParameter, "a malformed make-sticky");
    return;
  }
  const auto connection = client.connection;
  const Status status =
      request->sticky > 1
          ? Status::BadParameter
          : pump_.make_sticky(ContextId{connection->id()}, request->handle, request->sticky == 1);
  connection->send(frame.request_id, proto::MakeStickyReply{.status = status});
}

void Server::handle_device_info(Client& client, const Frame& frame) {
  client.device_info_id = frame.request_id;
  if (pump_.device_state() == proto::DeviceState::Starting) {
    client.connection->set_window_full(true);
  } else {
    answer_device_info(client);
  }
}

void Server::answer_device_info(Client& client) {
  const exec::TpmIdentity& tpm = pump_.identity();
  const auto connection = client.connection;
  const std::uint64_t request = *std::exchange(client.device_info_id, std::nullopt);
  connection->send(request,
                   proto::DeviceInfoReply{
                       .status = tpm.version == 0 ? pump_.missing_device_status() : Status::Success,
                       .tpm_version = tpm.version,
                       .interface_type = pump_.facts().interface_type,
                       .revision = tpm.revision,
                       .max_command = pump_.max_command(),
                       .max_response = pump_.max_command(),
                       .manufacturer = tpm.manufacturer,
                       .device = std::string(pump_.device_name())});
  connection->set_window_full(client.outstanding.size() >= proto::kMaxOutstanding);
}

proto::ContextEntry Server::describe(std::uint64_t id, const Client& client) const {
  const sched::RunningView running = pump_.running_of(ContextId{id});
  const bool runs = running.state != sched::RunState::None;
  // A detached command has been answered, so it is not among the outstanding ones.
  const std::size_t waiting =
      client.outstanding.size() - (running.state == sched::RunState::Running ? 1 : 0);
  return {.context = id,
          .uid = static_cast<std::uint32_t>(client.peer.user),
          .pid = static_cast<std::uint32_t>(client.peer.pid),
          .priority = runs ? running.priority : client.last_priority,
          .queued = static_cast<std::uint32_t>(waiting),
          .running = static_cast<std::uint32_t>(running.state),
          .command = running.command_code,
          .running_us = runs ? microseconds(std::chrono::steady_clock::now() - running.since) : 0,
          .queued_bytes = client.outstanding_bytes + client.connection->unsent(),
          .submitted = client.submitted,
          .program = client.peer.program};
}

void Server::handle_list_contexts(Client& client, const Frame& frame) {
  const auto list = proto::decode<proto::ListContexts>(frame.payload);
  if (!list) {
    refuse(client, Status::BadParameter, "a malformed list-contexts");
    return;
  }
  proto::ContextList page;
  for (auto entry = clients_.upper_bound(list->after); entry != clients_.end(); ++entry) {
    if (!entry->second.is_context()) continue;
    if (page.entries.size() == proto::kMaxContextsPerPage) {
      page.more = 1;
      break;
    }
    page.entries.push_back(describe(entry->first, entry->second));
  }
  client.connection->send(frame.request_id, std::move(page));
}

void Server::handle_cancel_context(Client& client, const Frame& frame) {
  const auto request = proto::decode<proto::CancelContext>(frame.payload);
  if (!request) {
    refuse(client, Status::BadParameter, "a malformed cancel-context");
    return;
  }
  const auto connection = client.connection;
  const auto target = clients_.find(request->context);
  Status status = Status::Success;
  if (target == clients_.end() || !target->second.is_context()) {
    status = Status::InvalidContext;
  } else if (!client.peer.administrator && client.peer.user != target->second.peer.user) {
    status = Status::AccessDenied;
  } else {
    host::AuditFields fields = fields_of(client);
    fields.context = request->context;
    host::audit(spdlog::level::info, proto::Event::Cancelled, fields,
                fmt::format("context {} of {} was cancelled by {}", request->context,
                            name_of(target->second), name_of(client)));
    pump_.cancel(ContextId{request->context});
  }
  connection->send(frame.request_id, proto::CancelContextReply{.status = status});
}

void Server::handle_daemon_status(Client& client, const Frame& frame) {
  const sched::Counters& counters = pump_.counters();
  client.connection->send(
      frame.request_id, proto::DaemonStatusReply{
                            .device_state = pump_.device_state(),
                            .contexts = static_cast<std::uint32_t>(contexts_),
                            .queued = static_cast<std::uint32_t>(pump_.queued()),
                            .uptime_us = microseconds(std::chrono::steady_clock::now() - started_),
                            .commands = counters.answered,
                            .transmitted = counters.transmitted,
                            .canceled = counters.canceled,
                            .failed = counters.failed,
                            .reopened = pump_.times_lost(),
                            .version = kVersion,
                            .device = std::string(pump_.device_name())});
}

}  // namespace tbs::server
