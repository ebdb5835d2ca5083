#include "daemon/server/command_requests.h"

#include <algorithm>
#include <utility>

#include "daemon/base/spare_buffers.h"
#include "daemon/policy/priority.h"
#include "daemon/server/revocation.h"

namespace tbs::server {
namespace {

using proto::Status;

constexpr std::uint32_t kMaxLocality = 4;

bool is_revoking(const Client& client) {
  return std::ranges::find(client.outstanding, ReplyAs::RevokeAttestationReply,
                           &Outstanding::reply) != client.outstanding.end();
}

}  // namespace

std::optional<CommandRequests::Unacceptable> CommandRequests::unacceptable(
    const Client& client, const proto::Submit& submit) const {
  const DeviceView device = sink_.device();
  // The kernel always speaks to its chip at locality 0.
  const std::uint32_t max_locality = device.localities ? kMaxLocality : 0;
  if (!sink_.identity().family) return Unacceptable{device.missing, Refusal::NoTpm};
  if (submit.locality > max_locality) return Unacceptable{Status::BadParameter, Refusal::Locality};
  if (submit.command.size() > device.max_command) {
    return Unacceptable{Status::BufferTooLarge, Refusal::TooLong};
  }
  if (submit.locality != 0 && !client.peer.administrator) {
    return Unacceptable{Status::AccessDenied, Refusal::Locality};
  }
  return std::nullopt;
}

SharedCommand CommandRequests::command_of(const Client& client, std::uint64_t request_id,
                                          const proto::Submit& submit) const {
  return ClientCommand::read(
      {.requester = client.peer.requester,
       .context = client.context(),
       .request = RequestId{request_id},
       .priority = policy::cap_priority(submit.priority, client.peer.administrator),
       .locality = static_cast<std::uint8_t>(submit.locality),
       .family = *sink_.identity().family,
       .bytes = SpareBuffers::of_thread().copy_of(submit.command)});
}

Handled CommandRequests::submit(Client& client, std::uint64_t request_id,
                                const proto::Submit& submit) {
  if (client.has_outstanding(request_id)) return breach("a submit that repeats a request id");
  auto fault = unacceptable(client, submit);
  SharedCommand command;
  if (!fault) {
    command = command_of(client, request_id, submit);
    if (command == nullptr) fault = {Status::BadParameter, Refusal::Malformed};
  }
  if (fault) {
    audit_.count(fault->refusal);
    client.link->send(request_id, proto::Result{.status = fault->status, .response = {}});
    return {};
  }
  if (const auto response = screening_.check(client, *command)) {
    submissions_.answer_at_once(client, *command, *response);
    return {};
  }
  submissions_.enqueue(client, std::move(command), ReplyAs::Result);
  return {};
}

Handled CommandRequests::cancel(Client& client, std::uint64_t request_id, const proto::Cancel&) {
  const auto link = client.link;
  sink_.cancel(client.context(), std::nullopt);
  link->send(request_id, proto::CancelReply{});
  return {};
}

Handled CommandRequests::cancel_command(Client& client, std::uint64_t request_id,
                                        const proto::CancelCommand& wanted) {
  const auto link = client.link;
  sink_.cancel(client.context(), RequestId{wanted.request});
  link->send(request_id, proto::CancelCommandReply{});
  return {};
}

Handled CommandRequests::revoke_attestation(Client& client, std::uint64_t request_id,
                                            const proto::RevokeAttestation&) {
  if (client.has_outstanding(request_id) || is_revoking(client)) {
    return breach("a revocation that repeats a request id, or before the last one was answered");
  }
  if (!client.peer.administrator) {
    audit_.denied(client, "the revocation of the attestation");
    client.link->send(request_id, proto::RevokeAttestationReply{.status = Status::AccessDenied});
    return {};
  }
  const auto family = sink_.identity().family;
  if (!family) {
    client.link->send(request_id, proto::RevokeAttestationReply{.status = sink_.device().missing});
    return {};
  }
  const proto::Buffer bytes = revoke_command(*family);
  auto command = command_of(client, request_id,
                            {.locality = 0, .priority = policy::kPriorityHigh, .command = bytes});
  submissions_.enqueue(client, std::move(command), ReplyAs::RevokeAttestationReply);
  return {};
}

}  // namespace tbs::server
