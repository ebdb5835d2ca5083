#include "daemon/server/command_screening.h"

#include <utility>

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
    case policy::Effect::LockedOut:  // the guard has told held_back()
      break;
  }
  return std::move(decision.response);
}

void CommandScreening::held_back(const ClientCommand& command) {
  const Client* const client = clients_.find(static_cast<std::uint64_t>(command.context()));
  if (client != nullptr) audit_.answered_locked_out(*client, command.effective_code());
}

void CommandScreening::locked_out(const ClientCommand& command) {
  const Client* const client = clients_.find(static_cast<std::uint64_t>(command.context()));
  if (client != nullptr) audit_.locked_out(*client, command.effective_code());
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
