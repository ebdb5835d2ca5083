#include "daemon/policy/command_filter.h"

#include <utility>

#include "daemon/command/client_response.h"
#include "daemon/policy/ignored_command.h"
#include "proto/service_codes.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"

namespace tbs::policy {
namespace {

std::uint32_t blocked_code(rules::BlockedResponse wanted, Family family, bool embedded) {
  if (wanted == rules::BlockedResponse::Windows) {
    return embedded ? proto::service::kEmbeddedCommandBlocked : proto::service::kCommandBlocked;
  }
  return family == Family::Tpm12 ? tpm12::rc::kBadOrdinal : tpm::rc::kCommandCode;
}

}  // namespace

void CommandFilter::set_rules(rules::Rules rules) {
  rules_ = std::move(rules);
  index_ = rules::RuleIndex(rules_);
  names_ = rules::needs_handles(rules_) ? Names::Included : Names::Omitted;
  needs_owner_ = rules::needs_owner(rules_);
}

Decision CommandFilter::check(const ClientCommand& command) {
  Decision decision = apply_rules(command);
  if (decision.effect == Effect::Blocked || decision.effect == Effect::Ignored) return decision;
  if (auto refusal = guard_.refusal(command)) {
    return {.effect = Effect::LockedOut, .rule = nullptr, .response = *std::move(refusal)};
  }
  return decision;
}

std::optional<rules::Owner> CommandFilter::owner_of(const ClientCommand& command) const {
  if (!needs_owner_) return std::nullopt;
  const auto change = lasting_change_of(command, commands_);
  if (!change) return std::nullopt;
  return ownership_.owner_of(*change, command.requester().account);
}

Decision CommandFilter::apply_rules(const ClientCommand& command) const {
  rules::CommandFacts facts = facts_of(command, commands_, names_);
  if (!command.embedded()) facts.owner = owner_of(command);
  rules::Match match = rules::evaluate(rules_, index_, facts);
  const bool outer_blocked = !match.allowed;
  if (!outer_blocked) {
    auto inner = embedded_facts_of(command, names_);
    if (!inner) return {};
    facts = *std::move(inner);
    facts.owner = owner_of(command);
    match = rules::evaluate(rules_, index_, facts);
  }
  if (match.allowed) return {};
  Decision decision{.effect = Effect::WouldBlock, .rule = match.rule, .command = facts.command};
  if (match.rule->ignore && outer_blocked) {
    if (auto response = answer_to_ignored(command)) {
      decision.effect = Effect::Ignored;
      decision.response = *std::move(response);
      return decision;
    }
  }
  if (rules_.dry_run) return decision;
  decision.effect = Effect::Blocked;
  decision.response = bare_response(
      command.family(), blocked_code(rules_.blocked_response, command.family(), !outer_blocked));
  return decision;
}

}  // namespace tbs::policy
