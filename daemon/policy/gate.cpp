#include "daemon/policy/gate.h"

#include <utility>

#include "daemon/tpm/command_view.h"
#include "proto/tpm_header.h"

namespace tbs::policy {
namespace {

constexpr std::uint32_t kCommandBlocked = 0x80280400;  // TPM_E_COMMAND_BLOCKED of tbs.h
constexpr std::uint32_t kRcCommandCode = 0x143;        // TPM_RC_COMMAND_CODE
constexpr std::uint32_t kTpm12BadOrdinal = 0x0A;       // TPM_BAD_ORDINAL
constexpr std::uint32_t kNvDefineSpace = 0x12A;

proto::Buffer bare_response(std::uint32_t tpm_version, std::uint32_t code) {
  return proto::tpm_error_response(tpm_version == 1 ? proto::kTagRspCommand : proto::kTagNoSessions,
                                   code);
}

std::uint32_t blocked_code(Answer answer, std::uint32_t tpm_version) {
  if (answer == Answer::Windows) return kCommandBlocked;
  return tpm_version == 1 ? kTpm12BadOrdinal : kRcCommandCode;
}

void note_handle(std::uint32_t handle, Question& question) {
  switch (tpm::handle_type(handle)) {
    case tpm::HandleType::Pcr:
      question.pcrs.push_back(handle);
      break;
    case tpm::HandleType::NvIndex:
      question.nv_indices.push_back(handle);
      break;
    case tpm::HandleType::Persistent:
      question.persistent_handles.push_back(handle);
      break;
    default:
      break;
  }
}

}  // namespace

void Gate::set_rules(Rules rules) {
  rules_ = std::move(rules);
  needs_handles_ = needs_handles(rules_);
}

Decision Gate::check(const Command& command, std::uint32_t tpm_version, std::uint64_t now) {
  const Verdict verdict = judge(rules_, question_of(command));
  if (!verdict.allowed && !rules_.dry_run) {
    return {.outcome = Outcome::Blocked,
            .rule = verdict.rule,
            .response = bare_response(tpm_version, blocked_code(rules_.answer, tpm_version))};
  }
  const auto header = proto::read_tpm_header(command.bytes);
  if (header && has_authorization(header->tag) && !is_administrator(command.roles) &&
      guard_.locked(command.user, now)) {
    return {.outcome = Outcome::LockedOut,
            .rule = nullptr,
            .response = bare_response(tpm_version, lockout_code(tpm_version))};
  }
  if (!verdict.allowed)
    return {.outcome = Outcome::WouldBlock, .rule = verdict.rule, .response = {}};
  return {};
}

bool Gate::answered(UserId user, RoleSet roles, std::uint32_t tpm_version, proto::Bytes response,
                    std::uint64_t now) {
  if (is_administrator(roles)) return false;
  const auto header = proto::read_tpm_header(response);
  if (!header || !is_counted_failure(tpm_version, header->code)) return false;
  guard_.failed(user, now);
  return true;
}

Question Gate::question_of(const Command& command) const {
  const auto header = proto::read_tpm_header(command.bytes);
  Question question{.roles = command.roles,
                    .command = header ? header->code : 0,
                    .priority = command.priority,
                    .locality = command.locality};
  if (needs_handles_) note_handles(command.bytes, commands_, question);
  return question;
}

void note_handles(proto::Bytes command, const tpm::CommandTable& commands, Question& question) {
  const auto view = tpm::parse_command(command, commands);
  if (!view) return;
  for (std::uint8_t i = 0; i < view->info->handles; ++i) note_handle(view->handles[i], question);
  proto::ByteReader parameters(view->parameters);
  if (view->code() == tpm::cc::kEvictControl) {
    note_handle(parameters.be32(), question);
  } else if (view->code() == kNvDefineSpace) {
    parameters.skip(parameters.be16());  // the authorization value, encrypted or not
    parameters.skip(2);                  // size of what follows
    const std::uint32_t index = parameters.be32();
    if (parameters.ok()) note_handle(index, question);
  }
}

}  // namespace tbs::policy
