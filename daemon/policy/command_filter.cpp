#include "daemon/policy/command_filter.h"

#include <utility>

#include "proto/service_codes.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm_header.h"

namespace tbs::policy {
namespace {

proto::Buffer bare_response(std::uint32_t tpm_version, std::uint32_t code) {
  return proto::tpm_error_response(tpm_version == 1 ? tpm12::kTagResponse : tpm::kTagNoSessions,
                                   code);
}

std::uint32_t blocked_code(Answer answer, std::uint32_t tpm_version, bool embedded) {
  if (answer == Answer::Windows)
    return embedded ? proto::service::kEmbeddedCommandBlocked : proto::service::kCommandBlocked;
  return tpm_version == 1 ? tpm12::rc::kBadOrdinal : tpm::rc::kCommandCode;
}

}  // namespace

void CommandFilter::set_rules(Rules rules) {
  rules_ = std::move(rules);
  needs_handles_ = needs_handles(rules_);
}

Decision CommandFilter::check(const Command& command, std::uint32_t tpm_version,
                              std::uint64_t now) {
  Decision decision = evaluate_command(command, tpm_version);
  if (decision.outcome == Outcome::Blocked) return decision;
  if (auto answer = locked_out(command.user, command.roles, command.bytes, tpm_version, now)) {
    return {.outcome = Outcome::LockedOut,
            .rule = nullptr,
            .command = effective_code(command.bytes, tpm_version),
            .response = *std::move(answer)};
  }
  return decision;
}

std::optional<proto::Buffer> CommandFilter::locked_out(UserId user, RoleSet roles,
                                                       proto::Bytes command,
                                                       std::uint32_t tpm_version,
                                                       std::uint64_t now) {
  const auto header = proto::read_tpm_header(command);
  if (!header || !has_authorization(header->tag) || is_administrator(roles) ||
      !guard_.locked(user, now)) {
    return std::nullopt;
  }
  return bare_response(tpm_version, lockout_code(tpm_version));
}

Decision CommandFilter::evaluate_command(const Command& command, std::uint32_t tpm_version) const {
  const auto embedded = tpm_version == 1 ? embedded_command(command.bytes) : std::nullopt;
  CommandFacts facts = facts_of(command, command.bytes, tpm_version);
  Verdict verdict = evaluate(rules_, facts);
  const bool outer_blocked = !verdict.allowed;
  if (verdict.allowed && embedded) {
    facts = facts_of(command, *embedded, tpm_version);
    verdict = evaluate(rules_, facts);
  }
  if (verdict.allowed) return {};
  Decision decision{.outcome = Outcome::WouldBlock, .rule = verdict.rule, .command = facts.command};
  if (rules_.dry_run) return decision;
  decision.outcome = Outcome::Blocked;
  decision.response =
      bare_response(tpm_version, blocked_code(rules_.answer, tpm_version, !outer_blocked));
  return decision;
}

bool CommandFilter::answered(UserId user, RoleSet roles, std::uint32_t tpm_version,
                             std::uint32_t result, std::uint64_t now) {
  if (is_administrator(roles) || !is_counted_failure(tpm_version, result)) return false;
  guard_.failed(user, now);
  return true;
}

CommandFacts CommandFilter::facts_of(const Command& command, proto::Bytes bytes,
                                     std::uint32_t tpm_version) const {
  const auto header = proto::read_tpm_header(bytes);
  CommandFacts facts{.roles = command.roles,
                     .command = header ? header->code : 0,
                     .priority = command.priority,
                     .locality = command.locality};
  if (!needs_handles_) return facts;
  if (tpm_version == 1) {
    note_handles12(bytes, facts);
  } else {
    collect_handles(bytes, commands_, facts);
  }
  return facts;
}

}  // namespace tbs::policy
