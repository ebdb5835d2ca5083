#include "daemon/server/command_requests.h"

#include <algorithm>

#include "daemon/policy/priority.h"
#include "daemon/server/revocation.h"
#include "proto/tpm_header.h"

namespace tbs::server {
namespace {

using proto::Status;

constexpr std::uint32_t kMaxLocality = 4;

bool is_revoking(const Client& client) {
  return std::ranges::any_of(client.outstanding, [](const auto& entry) {
    return entry.second.reply == ReplyAs::RevokeAttestationReply;
  });
}

}  // namespace

Status CommandRequests::acceptable(const Client& client, const proto::Submit& submit) const {
  const DeviceView device = sink_.device();
  // The kernel always speaks to its chip at locality 0.
  const std::uint32_t max_locality = device.localities ? kMaxLocality : 0;
  if (!proto::read_tpm_header(submit.command) || submit.locality > max_locality) {
    return Status::BadParameter;
  }
  if (submit.command.size() > device.max_command) return Status::BufferTooLarge;
  if (submit.locality != 0 && !client.peer.administrator) return Status::AccessDenied;
  return Status::Success;
}

Handled CommandRequests::submit(Client& client, std::uint64_t request_id,
                                const proto::Submit& submit) {
  if (client.outstanding.contains(request_id)) return breach("a submit that repeats a request id");
  if (const Status status = acceptable(client, submit); status != Status::Success) {
    client.link->send(request_id, proto::Result{.status = status, .response = {}});
    return {};
  }
  const std::uint32_t priority = policy::cap_priority(submit.priority, client.peer.administrator);
  if (const auto response = screening_.check(client, priority, submit)) {
    submissions_.answer_at_once(client, request_id, *response);
    return {};
  }
  submissions_.enqueue(client, {.request_id = request_id,
                                .priority = priority,
                                .locality = submit.locality,
                                .command = submit.command,
                                .reply = ReplyAs::Result});
  return {};
}

Handled CommandRequests::cancel(Client& client, std::uint64_t request_id, const proto::Cancel&) {
  const auto link = client.link;
  sink_.cancel(client.context());
  link->send(request_id, proto::CancelReply{});
  return {};
}

Handled CommandRequests::revoke_attestation(Client& client, std::uint64_t request_id,
                                            const proto::RevokeAttestation&) {
  if (client.outstanding.contains(request_id) || is_revoking(client)) {
    return breach("a revocation that repeats a request id, or before the last one was answered");
  }
  if (!client.peer.administrator) {
    audit_.denied(client, "the revocation of the attestation");
    client.link->send(request_id, proto::RevokeAttestationReply{.status = Status::AccessDenied});
    return {};
  }
  const proto::Buffer command = revoke_command(sink_.identity().version);
  submissions_.enqueue(client, {.request_id = request_id,
                                .priority = policy::kPriorityHigh,
                                .locality = 0,
                                .command = command,
                                .reply = ReplyAs::RevokeAttestationReply});
  return {};
}

}  // namespace tbs::server
