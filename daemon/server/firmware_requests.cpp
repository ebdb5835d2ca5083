#include "daemon/server/firmware_requests.h"

#include "daemon/firmware/log_type.h"
#include "daemon/firmware/owner_auth_name.h"

namespace tbs::server {
namespace {

using proto::Status;

// What waits for the helper thread is bounded by the connections.
constexpr const char* kOneAtATime = "a question before the last one was answered";

proto::LogPart reply_of(proto::LogPart*, const firmware::LogBytes& part) {
  return {.more = part.more ? 1U : 0U, .bytes = part.bytes};
}
proto::PhysicalPresenceReply reply_of(proto::PhysicalPresenceReply*, const proto::Buffer& output) {
  return {.output = output};
}
proto::OwnerAuthReply reply_of(proto::OwnerAuthReply*, const proto::Buffer& value) {
  return {.value = value};
}

}  // namespace

template <typename Reply>
auto FirmwareRequests::answer(Client& client, std::uint64_t request_id) {
  client.asks_firmware = true;
  return [this, id = client.id, request_id](auto outcome) {
    Client* const asking = clients_.find(id);
    if (asking == nullptr) return;
    asking->asks_firmware = false;
    if (outcome) {
      asking->link->send(request_id, reply_of(static_cast<Reply*>(nullptr), *outcome));
    } else {
      asking->link->send(request_id, Reply{.status = outcome.error()});
    }
  };
}

Status FirmwareRequests::may_read_log(const Client& client, std::uint32_t log_type) const {
  if (!sink_.identity().family) return sink_.device().missing;
  if (!client.peer.administrator && !admission_.permissions().everyone_reads_log) {
    return Status::AccessDenied;
  }
  return firmware::status_of_log_type(log_type);
}

Handled FirmwareRequests::read_log(Client& client, std::uint64_t request_id,
                                   const proto::ReadLog& request) {
  if (client.asks_firmware) return breach(kOneAtATime);
  if (const Status status = may_read_log(client, request.log_type); status != Status::Success) {
    client.link->send(request_id, proto::LogPart{.status = status, .bytes = {}});
    return {};
  }
  firmware_.read_log(request.offset, answer<proto::LogPart>(client, request_id));
  return {};
}

Handled FirmwareRequests::physical_presence(Client& client, std::uint64_t request_id,
                                            const proto::PhysicalPresence& message) {
  if (client.asks_firmware) return breach(kOneAtATime);
  const auto request = firmware::parse_presence(message.input);
  Status status = request ? Status::Success : request.error();
  if (request && request->submits()) {
    if (client.peer.administrator) {
      audit_.presence_requested(client, request->operation);
    } else {
      audit_.denied(client, "a physical presence operation");
      status = Status::AccessDenied;
    }
  }
  if (status != Status::Success) {
    client.link->send(request_id, proto::PhysicalPresenceReply{.status = status, .output = {}});
    return {};
  }
  firmware_.call_presence(*request, answer<proto::PhysicalPresenceReply>(client, request_id));
  return {};
}

Handled FirmwareRequests::owner_auth(Client& client, std::uint64_t request_id,
                                     const proto::OwnerAuth& request) {
  if (client.asks_firmware) return breach(kOneAtATime);
  const auto name = firmware::owner_auth_name(request.auth_type, sink_.identity().family);
  Status status = Status::Success;
  if (name.empty()) {
    status = Status::BadParameter;
  } else if (!client.peer.administrator) {
    audit_.denied(client, "the owner authorization");
    status = Status::AccessDenied;
  }
  if (status != Status::Success) {
    client.link->send(request_id, proto::OwnerAuthReply{.status = status, .value = {}});
    return {};
  }
  audit_.owner_auth_read(client, name);
  firmware_.read_owner_auth(name, answer<proto::OwnerAuthReply>(client, request_id));
  return {};
}

}  // namespace tbs::server
