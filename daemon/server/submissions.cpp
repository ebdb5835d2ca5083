#include "daemon/server/submissions.h"

#include <utility>

#include "daemon/command/client_response.h"
#include "daemon/server/revocation.h"
#include "daemon/server/state_changes.h"
#include "proto/limits.h"

namespace tbs::server {

using proto::Status;

namespace {

std::uint64_t microseconds(TimePoint moment) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(moment.time_since_epoch()).count());
}

}  // namespace

void Submissions::enqueue(Client& client, SharedCommand command, ReplyAs reply_as) {
  const auto request_id = static_cast<std::uint64_t>(command->request());
  if (environment_.memory_is_short()) {
    audit_.out_of_memory(client);
    reply(client, reply_as, request_id, Status::TooManyResources, {});
    return;
  }
  add(client, command, reply_as);
  sink_.submit(std::move(command));
}

void Submissions::adopt(Client& client, SharedCommand command, ReplyAs reply_as) {
  add(client, std::move(command), reply_as);
}

void Submissions::add(Client& client, SharedCommand command, ReplyAs reply_as) {
  ++client.submitted;
  client.last_priority = command->priority();
  client.outstanding_bytes += command->bytes().size();
  client.outstanding.push_back(
      {.command = std::move(command),
       .reply = reply_as,
       .submitted = capture_.running() ? environment_.now() : TimePoint{}});
  back_pressure_.update(client);
  if (client.outstanding.size() >= proto::kMaxOutstanding) client.link->set_window_full(true);
}

void Submissions::answer_at_once(Client& client, const ClientCommand& command,
                                 proto::Bytes response) {
  ++client.submitted;
  capture(client, command, TimePoint{}, Status::Success, response);
  reply(client, ReplyAs::Result, static_cast<std::uint64_t>(command.request()), Status::Success,
        response);
}

void Submissions::capture(const Client& client, const ClientCommand& command, TimePoint submitted,
                          Status status, proto::Bytes response) {
  if (!capture_.running()) return;
  const TimePoint now = environment_.now();
  // Of one that was submitted before, or is answered at once, nobody knows more.
  const TimePoint since = submitted == TimePoint{} ? now : submitted;
  capture_.add({.context = client.id,
                .uid = shown_number(client.peer.principal.user),
                .pid = static_cast<std::uint32_t>(client.peer.pid),
                .status = static_cast<std::uint32_t>(status),
                .submitted_us = microseconds(since),
                .answered_us = microseconds(now),
                .program = client.peer.program,
                .command = command.bytes(),
                .response = response},
               now);
}

void Submissions::deliver(const sched::Answer& answer) {
  Client* const client = clients_.find(static_cast<std::uint64_t>(answer.context));
  if (client == nullptr) return;
  const auto asked = client->take_outstanding(answer.request);
  if (!asked) return;
  note(*client, *asked->command, answer);
  capture(*client, *asked->command, asked->submitted, answer.status, answer.response);
  reply(*client, asked->reply, static_cast<std::uint64_t>(answer.request), answer.status,
        answer.response);
  back_pressure_.update(*client);
  const auto link = client->link;
  link->set_window_full(false);
}

void Submissions::note(const Client& client, const ClientCommand& command,
                       const sched::Answer& answer) {
  if (answer.status != Status::Success || result_of(command, answer.response) != 0) return;
  const std::uint32_t code = command.effective_code();
  const Change change = change_of(command.family(), code);
  if (change == Change::None) return;
  audit_.changed_tpm(
      client, code, change,
      changed_handle(command.family(), change, command.embedded().value_or(command.bytes())));
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
