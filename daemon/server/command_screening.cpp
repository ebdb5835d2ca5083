#include "daemon/server/command_screening.h"

#include <utility>

#include "proto/tpm_header.h"

namespace tbs::server {

std::optional<proto::Buffer> CommandScreening::check(const Client& client, std::uint32_t priority,
                                                     const proto::Submit& submit) {
  auto decision = filter_.check({.user = client.peer.user,
                                 .roles = client.peer.roles,
                                 .priority = priority,
                                 .locality = submit.locality,
                                 .bytes = submit.command},
                                sink_.identity().version, environment_.wall_clock());
  switch (decision.outcome) {
    case policy::Outcome::Pass:
      return std::nullopt;
    case policy::Outcome::WouldBlock:
      audit_.blocked(client, decision);
      return std::nullopt;
    case policy::Outcome::Blocked:
      audit_.blocked(client, decision);
      break;
    case policy::Outcome::LockedOut:
      audit_.answered_locked_out(client, decision.command);
      break;
  }
  return std::move(decision.response);
}

// Between the moment a command came and the one at which the TPM is free for it, others of the user
// may have failed. The answer counts even when nobody waits for it any more.
exec::GuardedEngine::Verdict CommandScreening::judge(ContextId context, proto::Bytes command) {
  const Client* const client = clients_.find(static_cast<std::uint64_t>(context));
  const auto header = proto::read_tpm_header(command);
  if (client == nullptr || !header || !policy::has_authorization(header->tag)) return {};
  const Peer& peer = client->peer;
  if (policy::is_administrator(peer.roles)) return {};
  const std::uint32_t family = sink_.identity().version;
  const std::uint32_t code = policy::effective_code(command, family);
  if (auto answer =
          filter_.locked_out(peer.user, peer.roles, command, family, environment_.wall_clock())) {
    audit_.answered_locked_out(*client, code);
    return {.answer = std::move(answer), .watcher = nullptr};
  }
  const bool embedded = family == 1 && policy::embedded_command(command);
  const UserId user = peer.user;
  const policy::RoleSet roles = peer.roles;
  return {.answer = std::nullopt, .watcher = [=, this](proto::Bytes response) {
            const auto answer = proto::read_tpm_header(response);
            if (!answer) return;
            const std::uint32_t result =
                embedded ? policy::embedded_result(response) : answer->code;
            if (!filter_.answered(user, roles, family, result, environment_.wall_clock())) return;
            note_failure(context, user, code);
          }};
}

void CommandScreening::note_failure(ContextId context, UserId user, std::uint32_t command) {
  guard_changed();
  const Client* const client = clients_.find(static_cast<std::uint64_t>(context));
  if (client != nullptr && filter_.guard().locked(user, environment_.wall_clock())) {
    audit_.locked_out(*client, command);
  }
}

}  // namespace tbs::server
