#include "daemon/server/command_screening.h"

#include <utility>

#include "daemon/policy/lockout_authorization.h"

namespace tbs::server {

std::optional<proto::Buffer> CommandScreening::check(const Client& client,
                                                     const ClientCommand& command) {
  auto decision = filter_.check(command);
  switch (decision.effect) {
    case policy::Effect::Pass:
      return std::nullopt;
    case policy::Effect::WouldBlock:
      audit_.blocked(client, decision);
      return std::nullopt;
    case policy::Effect::Blocked:
      audit_.blocked(client, decision);
      break;
    case policy::Effect::Ignored:    // nothing was refused
    case policy::Effect::LockedOut:  // the guard has told held_back()
      break;
  }
  return std::move(decision.response);
}

void CommandScreening::held_back(const ClientCommand& command) {
  const Client* const client = clients_.find(static_cast<std::uint64_t>(command.context()));
  if (client == nullptr) return;
  if (policy::names_lockout(command)) {
    audit_.count(Refusal::LockoutAuth);
    audit_.denied(*client, "the lockout authorization");
  } else {
    audit_.answered_locked_out(*client, command.effective_code());
  }
}

void CommandScreening::locked_out(const ClientCommand& command) {
  const Client* const client = clients_.find(static_cast<std::uint64_t>(command.context()));
  if (client != nullptr) audit_.locked_out(*client, command.effective_code());
}

void CommandScreening::lockout_auth_failed(const ClientCommand& command, std::uint32_t seconds) {
  const Client* const client = clients_.find(static_cast<std::uint64_t>(command.context()));
  if (client != nullptr) audit_.lockout_auth_failed(*client, command.code(), seconds);
}

// What would be blocked was reported when the command came.
std::optional<proto::Buffer> CommandScreening::judge(const ClientCommand& command) {
  auto decision = filter_.apply_rules(command);
  if (decision.effect != policy::Effect::Blocked) return std::nullopt;
  const Client* const client = clients_.find(static_cast<std::uint64_t>(command.context()));
  if (client != nullptr) audit_.blocked(*client, decision);
  return std::move(decision.response);
}

}  // namespace tbs::server
