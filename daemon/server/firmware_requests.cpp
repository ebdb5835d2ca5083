// Requests about what the machine keeps outside the TPM, answered when a file was read, and the
// revocation of the attestation, answered by the TPM.

#include <utility>

#include <spdlog/spdlog.h>

#include "daemon/firmware/owner_auth.h"
#include "daemon/policy/priority.h"
#include "daemon/server/server.h"
#include "proto/tpm_header.h"

namespace tbs::server {

using proto::Frame;
using proto::Status;

namespace {

constexpr std::uint32_t kRevokedPcr = 12;
constexpr std::string_view kRevokedEvent = "tbs: attestation revoked";

// TPM2_PCR_Event with an empty password: extends every bank of the PCR. Source: TPM 2.0 Library
// Part 3, "TPM2_PCR_Event".
proto::Buffer revoke_command20() {
  proto::Buffer command;
  proto::ByteWriter writer(command);
  writer.be16(proto::kTagSessions);
  writer.be32(static_cast<std::uint32_t>(10 + 4 + 4 + 9 + 2 + kRevokedEvent.size()));
  writer.be32(0x13C);
  writer.be32(kRevokedPcr);
  writer.be32(9);  // size of the authorization: TPM_RS_PW, no nonce, no attributes, empty
  writer.be32(0x40000009);
  writer.be16(0);
  writer.u8(0);
  writer.be16(0);
  writer.be16(static_cast<std::uint16_t>(kRevokedEvent.size()));
  for (const char letter : kRevokedEvent) writer.u8(static_cast<std::uint8_t>(letter));
  return command;
}

// TPM_Extend, whose digest is the beginning of the same text. Source: TPM 1.2 Part 3, "TPM_Extend".
proto::Buffer revoke_command12() {
  constexpr std::size_t kDigest = 20;
  proto::Buffer command;
  proto::ByteWriter writer(command);
  writer.be16(0x00C1);
  writer.be32(10 + 4 + kDigest);
  writer.be32(0x14);
  writer.be32(kRevokedPcr);
  for (const char letter : kRevokedEvent.substr(0, kDigest)) {
    writer.u8(static_cast<std::uint8_t>(letter));
  }
  return command;
}

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

// The handler that sends what the machine says as a Reply, if the client is still there.
template <typename Reply>
auto Server::machine_answer(Client& client, std::uint64_t request) {
  client.asks_firmware = true;
  return [this, id = client.connection->id(), request](auto outcome) {
    const auto entry = clients_.find(id);
    if (entry == clients_.end()) return;
    entry->second.asks_firmware = false;
    const auto connection = entry->second.connection;
    if (outcome) {
      connection->send(request, reply_of(static_cast<Reply*>(nullptr), *outcome));
    } else {
      connection->send(request, Reply{.status = outcome.error()});
    }
  };
}

// One question at a time: what waits for the helper thread is bounded by the connections.
bool Server::may_ask_machine(Client& client) {
  if (!client.asks_firmware) return true;
  refuse(client, Status::BadParameter, "a question before the last one was answered");
  return false;
}

void Server::handle_read_log(Client& client, const Frame& frame) {
  const auto request = proto::decode<proto::ReadLog>(frame.payload);
  if (!request) {
    refuse(client, Status::BadParameter, "a malformed read-log");
    return;
  }
  if (!may_ask_machine(client)) return;
  Status status = firmware::status_of_log_type(request->log_type);
  if (pump_.identity().version == 0) {
    status = pump_.missing_device_status();
  } else if (!client.peer.administrator && !permissions_.everyone_reads_log) {
    status = Status::AccessDenied;
  }
  if (status != Status::Success) {
    client.connection->send(frame.request_id, proto::LogPart{.status = status, .bytes = {}});
    return;
  }
  dependencies_.firmware.read_log(request->offset,
                                  machine_answer<proto::LogPart>(client, frame.request_id));
}

void Server::handle_physical_presence(Client& client, const Frame& frame) {
  const auto message = proto::decode<proto::PhysicalPresence>(frame.payload);
  if (!message) {
    refuse(client, Status::BadParameter, "a malformed physical-presence");
    return;
  }
  if (!may_ask_machine(client)) return;
  const auto request = firmware::parse_presence(message->input);
  const Status status = !request                                           ? request.error()
                        : request->submits() && !client.peer.administrator ? Status::AccessDenied
                                                                           : Status::Success;
  if (status != Status::Success) {
    client.connection->send(frame.request_id,
                            proto::PhysicalPresenceReply{.status = status, .output = {}});
    return;
  }
  if (request->submits()) {
    spdlog::info("physical presence operation {} was requested by {} (pid {}, uid {})",
                 request->operation, client.peer.program, client.peer.pid,
                 static_cast<std::uint32_t>(client.peer.user));
  }
  dependencies_.firmware.call_presence(
      *request, machine_answer<proto::PhysicalPresenceReply>(client, frame.request_id));
}

void Server::handle_owner_auth(Client& client, const Frame& frame) {
  const auto request = proto::decode<proto::OwnerAuth>(frame.payload);
  if (!request) {
    refuse(client, Status::BadParameter, "a malformed owner-auth");
    return;
  }
  if (!may_ask_machine(client)) return;
  const auto name = firmware::owner_auth_name(request->auth_type, pump_.identity().version);
  const Status status = name.empty()                 ? Status::BadParameter
                        : !client.peer.administrator ? Status::AccessDenied
                                                     : Status::Success;
  if (status != Status::Success) {
    client.connection->send(frame.request_id, proto::OwnerAuthReply{.status = status, .value = {}});
    return;
  }
  spdlog::info("the owner authorization '{}' was asked for by {} (pid {}, uid {})", name,
               client.peer.program, client.peer.pid, static_cast<std::uint32_t>(client.peer.user));
  dependencies_.firmware.read_owner_auth(
      name, machine_answer<proto::OwnerAuthReply>(client, frame.request_id));
}

void Server::handle_revoke_attestation(Client& client, const Frame& frame) {
  if (client.outstanding.contains(frame.request_id) || client.revoke_id) {
    refuse(client, Status::BadParameter, "a revocation that repeats a request id");
    return;
  }
  const auto connection = client.connection;
  if (!client.peer.administrator) {
    connection->send(frame.request_id,
                     proto::RevokeAttestationReply{.status = Status::AccessDenied});
    return;
  }
  spdlog::info("attestation was revoked by {} (pid {}, uid {}): PCR {} is extended",
               client.peer.program, client.peer.pid, static_cast<std::uint32_t>(client.peer.user),
               kRevokedPcr);
  auto command = pump_.identity().version == 1 ? revoke_command12() : revoke_command20();
  client.revoke_id = frame.request_id;
  client.outstanding.emplace(frame.request_id, command.size());
  client.outstanding_bytes += command.size();
  if (client.outstanding.size() >= proto::kMaxOutstanding) connection->set_window_full(true);
  pump_.submit({.context = ContextId{connection->id()},
                .id = RequestId{frame.request_id},
                .priority = policy::kPriorityHigh,
                .locality = 0,
                .command = std::move(command)});
}

void Server::answer_revoke(Client& client, const sched::Answer& answer) {
  client.revoke_id.reset();
  Status status = answer.status;
  if (status == Status::Success) {
    const auto header = proto::read_tpm_header(answer.response);
    if (!header || header->code != 0) status = Status::InternalError;
  }
  const auto connection = client.connection;
  connection->send(static_cast<std::uint64_t>(answer.request),
                   proto::RevokeAttestationReply{.status = status});
  connection->set_window_full(false);
}

}  // namespace tbs::server
