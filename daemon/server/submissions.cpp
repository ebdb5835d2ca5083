#include "daemon/server/submissions.h"

#include <utility>

#include "daemon/policy/command_facts.h"
#include "daemon/server/revocation.h"
#include "daemon/server/state_changes.h"
#include "proto/limits.h"
#include "proto/tpm_header.h"

namespace tbs::server {

using proto::Status;

void Submissions::enqueue(Client& client, const Submission& submission) {
  if (environment_.memory_is_short()) {
    audit_.out_of_memory(client);
    reply(client, submission.reply, submission.request_id, Status::TooManyResources, {});
    return;
  }
  const std::uint32_t family = sink_.identity().version;
  ++client.submitted;
  client.last_priority = submission.priority;
  client.outstanding.emplace(
      submission.request_id,
      Outstanding{.bytes = submission.command.size(),
                  .command = policy::effective_code(submission.command, family),
                  .embedded = family == 1 && policy::embedded_command(submission.command),
                  .reply = submission.reply});
  client.outstanding_bytes += submission.command.size();
  back_pressure_.update(client);
  if (client.outstanding.size() >= proto::kMaxOutstanding) client.link->set_window_full(true);
  sink_.submit({.context = client.context(),
                .id = RequestId{submission.request_id},
                .priority = submission.priority,
                .locality = static_cast<std::uint8_t>(submission.locality),
                .command = {submission.command.begin(), submission.command.end()},
                .user = client.peer.user,
                .administrator = client.peer.administrator});
}

void Submissions::answer_at_once(Client& client, std::uint64_t request_id, proto::Bytes response) {
  ++client.submitted;
  reply(client, ReplyAs::Result, request_id, Status::Success, response);
}

void Submissions::deliver(const sched::Answer& answer) {
  Client* const client = clients_.find(static_cast<std::uint64_t>(answer.context));
  if (client == nullptr) return;
  const auto request = client->outstanding.find(static_cast<std::uint64_t>(answer.request));
  if (request == client->outstanding.end()) return;
  const Outstanding command = request->second;
  client->outstanding.erase(request);
  client->outstanding_bytes -= command.bytes;
  note(*client, command, answer);
  reply(*client, command.reply, static_cast<std::uint64_t>(answer.request), answer.status,
        answer.response);
  back_pressure_.update(*client);
  const auto link = client->link;
  link->set_window_full(false);
}

void Submissions::note(const Client& client, const Outstanding& command,
                       const sched::Answer& answer) {
  const auto header = proto::read_tpm_header(answer.response);
  if (answer.status != Status::Success || !header) return;
  const std::uint32_t result =
      command.embedded ? policy::embedded_result(answer.response) : header->code;
  if (result == 0 && changes_state(sink_.identity().version, command.command)) {
    audit_.changed_tpm(client, command.command);
  }
}

void Submissions::reply(const Client& client, ReplyAs kind, std::uint64_t request_id, Status status,
                        proto::Bytes response) {
  if (kind == ReplyAs::Result) {
    client.link->send(request_id, proto::Result{.status = status, .response = response});
    return;
  }
  status = revocation_status(status, response);
  if (status == Status::Success) {
    audit_.revoked(client, kRevokedPcr);
  } else {
    audit_.not_revoked(client, status);
  }
  client.link->send(request_id, proto::RevokeAttestationReply{.status = status});
}

}  // namespace tbs::server
