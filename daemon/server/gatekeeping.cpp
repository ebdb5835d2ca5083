// What the rules and the lockout guard have to say about a client's commands and their answers, and
// what an administrator is told about both.

#include <algorithm>
#include <array>

#include <spdlog/fmt/fmt.h>

#include "daemon/host/audit.h"
#include "daemon/server/server.h"
#include "proto/command_names.h"
#include "proto/tpm/constants.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm_header.h"

namespace tbs::server {
namespace {

using proto::Event;
using proto::Status;

// Commands that change the TPM for everybody.
constexpr std::array<std::uint32_t, 22> kChanges = {
    TPM2_CC_Clear,
    TPM2_CC_ClearControl,
    TPM2_CC_HierarchyControl,
    TPM2_CC_SetPrimaryPolicy,
    TPM2_CC_ChangeEPS,
    TPM2_CC_ChangePPS,
    TPM2_CC_HierarchyChangeAuth,
    TPM2_CC_NV_DefineSpace,
    TPM2_CC_NV_UndefineSpace,
    TPM2_CC_NV_UndefineSpaceSpecial,
    TPM2_CC_NV_GlobalWriteLock,
    TPM2_CC_EvictControl,
    TPM2_CC_PCR_Allocate,
    TPM2_CC_PCR_SetAuthPolicy,
    TPM2_CC_SetAlgorithmSet,
    TPM2_CC_FieldUpgradeStart,
    TPM2_CC_DictionaryAttackLockReset,
    TPM2_CC_DictionaryAttackParameters,
    TPM2_CC_ClockSet,
    TPM2_CC_PP_Commands,
    tpm::cc::kNvDefineSpace2,
    TPM2_CC_SetCommandCodeAuditStatus,
};
constexpr std::array kChanges12 = {
    tpm12::ord::kOwnerClear,      tpm12::ord::kForceClear,      tpm12::ord::kTakeOwnership,
    tpm12::ord::kNvDefineSpace,   tpm12::ord::kSetOwnerInstall, tpm12::ord::kPhysicalEnable,
    tpm12::ord::kPhysicalDisable,
};

bool changes_state(std::uint32_t family, std::uint32_t command) {
  if (family == 1) return std::ranges::find(kChanges12, command) != kChanges12.end();
  return std::ranges::find(kChanges, command) != kChanges.end();
}

std::string command_text(std::uint32_t code) {
  const std::string_view name = proto::command_name(code);
  return name.empty() ? fmt::format("command {:#x}", code) : std::string(name);
}

}  // namespace

host::AuditFields Server::fields_of(const Client& client) {
  return {.uid = static_cast<std::uint32_t>(client.peer.user),
          .pid = client.peer.pid,
          .program = client.peer.program,
          .context = client.connection->id()};
}

std::string Server::name_of(const Client& client) {
  return fmt::format("{} (pid {}, uid {})", client.peer.program, client.peer.pid,
                     static_cast<std::uint32_t>(client.peer.user));
}

bool Server::let_through(Client& client, std::uint64_t request_id, const proto::Submit& submit) {
  using policy::Outcome;
  const auto decision = command_filter_.check({.user = client.peer.user,
                                               .roles = client.peer.roles,
                                               .priority = client.last_priority,
                                               .locality = submit.locality,
                                               .bytes = submit.command},
                                              pump_.identity().version, wall_clock());
  if (decision.outcome == Outcome::Pass) return true;
  host::AuditFields fields = fields_of(client);
  fields.command = decision.command;
  if (decision.outcome == Outcome::LockedOut) {
    note_lockout(client, decision.command);
  } else {
    const bool blocked = decision.outcome == Outcome::Blocked;
    fields.rule = decision.rule->origin;
    host::audit(
        spdlog::level::warn, Event::Blocked, fields,
        fmt::format("{} of {} {} by a rule ({})", command_text(*fields.command), name_of(client),
                    blocked ? "was blocked" : "would be blocked", fields.rule));
    if (!blocked) return true;
  }
  ++client.submitted;
  client.connection->send(request_id,
                          proto::Result{.status = Status::Success, .response = decision.response});
  return false;
}

void Server::note_answer(const Client& client, const Outstanding& request,
                         const sched::Answer& answer) {
  const std::uint32_t family = pump_.identity().version;
  const auto header = proto::read_tpm_header(answer.response);
  if (answer.status != Status::Success || !header) return;
  host::AuditFields fields = fields_of(client);
  fields.command = request.command;
  const std::uint32_t result =
      request.embedded ? policy::embedded_result(answer.response) : header->code;
  if (result == 0 && changes_state(family, request.command)) {
    host::audit(
        spdlog::level::info, Event::StateChanged, fields,
        fmt::format("{} changed the TPM: {}", name_of(client), command_text(request.command)));
  }
}

// Between the moment a command came and the one at which the TPM is free for it, others of the user
// may have failed. The answer counts even when nobody waits for it any more.
exec::GuardedEngine::Verdict Server::judge_authorization(ContextId context, proto::Bytes command) {
  const auto entry = clients_.find(static_cast<std::uint64_t>(context));
  const auto header = proto::read_tpm_header(command);
  if (entry == clients_.end() || !header || !policy::has_authorization(header->tag)) return {};
  const Client& client = entry->second;
  if (policy::is_administrator(client.peer.roles)) return {};
  const std::uint32_t family = pump_.identity().version;
  const std::uint32_t code = policy::effective_code(command, family);
  if (auto answer = command_filter_.locked_out(client.peer.user, client.peer.roles, command, family,
                                               wall_clock())) {
    note_lockout(client, code);
    return {.answer = std::move(answer), .watcher = nullptr};
  }
  const bool embedded = family == 1 && policy::embedded_command(command);
  const UserId user = client.peer.user;
  const policy::RoleSet roles = client.peer.roles;
  return {.answer = std::nullopt, .watcher = [=, this](proto::Bytes response) {
            const auto answered = proto::read_tpm_header(response);
            if (!answered) return;
            const std::uint32_t result =
                embedded ? policy::embedded_result(response) : answered->code;
            if (!command_filter_.answered(user, roles, family, result, wall_clock())) return;
            guard_changed_(command_filter_.guard().to_text());
            const auto still = clients_.find(static_cast<std::uint64_t>(context));
            if (still != clients_.end()) note_failure(still->second, code);
          }};
}

void Server::note_failure(const Client& client, std::uint32_t command) {
  if (!command_filter_.guard().locked(client.peer.user, wall_clock())) return;
  host::AuditFields fields = fields_of(client);
  fields.command = command;
  host::audit(spdlog::level::warn, Event::Lockout, fields,
              fmt::format("uid {} is locked out: too many failed authorizations, the last of "
                          "{}; `tbsctl lockout` shows it, `tbsctl lockout --reset` ends it",
                          *fields.uid, name_of(client)));
}

void Server::note_lockout(const Client& client, std::uint32_t command) {
  host::AuditFields fields = fields_of(client);
  fields.command = command;
  host::audit(spdlog::level::warn, Event::Lockout, fields,
              fmt::format("{} of {} was answered with the lockout code: too many failed "
                          "authorizations; see `tbsctl lockout`",
                          command_text(command), name_of(client)));
}

}  // namespace tbs::server
