#include "daemon/server/audit.h"

#include <spdlog/fmt/fmt.h>

#include "proto/command_names.h"

namespace tbs::server {
namespace {

using proto::Event;
namespace level = spdlog::level;

host::AuditFields fields_of(const Client& client) {
  const Peer& peer = client.peer;
  const UserId user = peer.principal.user;
  return {.uid = is_tenant(user) ? peer.subject.uid : shown_number(user),
          .pid = peer.pid,
          .program = peer.program,
          .tenant = peer.socket->tenant,
          .context = client.id};
}

// The user, or the tenant.
std::string account_name(const Client& client) {
  const std::string& tenant = client.peer.socket->tenant;
  if (!tenant.empty()) return "tenant " + tenant;
  return fmt::format("uid {}", shown_number(client.peer.principal.user));
}

// Program, process, and the user or tenant.
std::string name_of(const Client& client) {
  return fmt::format("{} (pid {}, {})", client.peer.program, client.peer.pid, account_name(client));
}

std::string command_text(std::uint32_t code) {
  const std::string_view name = proto::command_name(code);
  return name.empty() ? fmt::format("command {:#x}", code) : std::string(name);
}

}  // namespace

void Audit::write(level::level_enum level, Event event, const Client& client,
                  const std::string& text) {
  log_.write(level, event, fields_of(client), text);
}

void Audit::write_command(level::level_enum level, Event event, const Client& client,
                          std::uint32_t command, const std::string& text) {
  host::AuditFields fields = fields_of(client);
  fields.command = command;
  log_.write(level, event, fields, text);
}

// In the journal for who wants it, yet no line of the ordinary log for each client.
void Audit::connected(const Client& client) {
  write(level::debug, Event::Connected, client,
        fmt::format("context {} is of {}", client.id, name_of(client)));
}

void Audit::has_tpm_to_itself(const Client& client) {
  write(level::info, Event::Connected, client,
        fmt::format("context {} of {} has the TPM to itself", client.id, name_of(client)));
}

void Audit::inherits(const Client& client, std::uint64_t from) {
  write(level::debug, Event::Connected, client,
        fmt::format("context {} of {} gets copies of the objects of context {}, whose process it "
                    "was forked from",
                    client.id, name_of(client), from));
}

void Audit::does_not_inherit(const Client& client, std::uint64_t from) {
  write(level::warn, Event::Denied, client,
        fmt::format("context {} of {} gets no objects of context {}: that one has gone, or the "
                    "process was not forked from its process in the same control group",
                    client.id, name_of(client), from));
}

void Audit::disconnected(const Client& client, std::string_view reason) {
  count(Refusal::Connection);
  write(level::warn, Event::Refused, client,
        fmt::format("closing the connection of {}: {}", name_of(client), reason));
}

void Audit::no_context(const Client& client, std::size_t contexts, std::size_t of_user) {
  count(Refusal::Context);
  write(level::warn, Event::Admission, client,
        fmt::format("no context for {}: {} are open, {} of them this user's; see max-contexts and "
                    "max-contexts-per-user",
                    name_of(client), contexts, of_user));
}

void Audit::held_up(const Client& client, std::size_t waiting) {
  write(level::info, Event::Backlog, client,
        fmt::format("{} has {} KiB waiting; its clients are not read from until that is less",
                    account_name(client), waiting / 1024));
}

void Audit::out_of_memory(const Client& client) {
  count(Refusal::Memory);
  write(level::err, Event::Memory, client,
        "out of memory: commands fail until there is some; raise MemoryMax, or lower max-backlog "
        "and max-contexts");
}

void Audit::blocked(const Client& client, const policy::Decision& decision) {
  host::AuditFields fields = fields_of(client);
  fields.command = decision.command;
  fields.rule = decision.rule->origin;
  const bool blocked = decision.effect == policy::Effect::Blocked;
  if (blocked) count(Refusal::Rule);
  log_.write(
      level::warn, Event::Blocked, fields,
      fmt::format("{} of {} {} by a rule ({})", command_text(decision.command), name_of(client),
                  blocked ? "was blocked" : "would be blocked", fields.rule));
}

void Audit::answered_locked_out(const Client& client, std::uint32_t command) {
  count(Refusal::Lockout);
  write_command(level::warn, Event::Lockout, client, command,
                fmt::format("{} of {} was answered with the lockout code: too many failed "
                            "authorizations; see `tbsctl lockout`",
                            command_text(command), name_of(client)));
}

void Audit::locked_out(const Client& client, std::uint32_t command) {
  write_command(level::warn, Event::Lockout, client, command,
                fmt::format("{} is locked out: too many failed authorizations, the last of "
                            "{}; `tbsctl lockout` shows it, `tbsctl lockout --reset` ends it",
                            account_name(client), name_of(client)));
}

void Audit::lockout_auth_failed(const Client& client, std::uint32_t command,
                                std::uint32_t seconds) {
  const std::string until =
      seconds == 0 ? "until it loses power" : fmt::format("for {} s", seconds);
  write_command(level::warn, Event::Lockout, client, command,
                fmt::format("{} of {} brought a wrong lockoutAuth: the TPM refuses it {}",
                            command_text(command), name_of(client), until));
}

void Audit::lockout_reset(const Client& client, const std::string& whose) {
  write(level::info, Event::Lockout, client,
        fmt::format("{} made the lockout guard forget {}", name_of(client), whose));
}

// What programs do to PCRs and NV indices all the time is no line of the ordinary log.
void Audit::changed_tpm(const Client& client, std::uint32_t command, Change change,
                        std::uint32_t handle) {
  if (change == Change::Pcr) {
    write_command(
        level::debug, Event::PcrChanged, client, command,
        fmt::format("{} changed PCR {}: {}", name_of(client), handle, command_text(command)));
  } else if (change == Change::Nv) {
    write_command(level::debug, Event::NvWritten, client, command,
                  fmt::format("{} changed what NV index {:#x} holds: {}", name_of(client), handle,
                              command_text(command)));
  } else {
    write_command(level::info, Event::StateChanged, client, command,
                  fmt::format("{} changed the TPM: {}", name_of(client), command_text(command)));
  }
}

void Audit::canceled(const Client& by, const Client& target) {
  host::AuditFields fields = fields_of(by);
  fields.context = target.id;
  log_.write(
      level::info, Event::Cancelled, fields,
      fmt::format("context {} of {} was cancelled by {}", target.id, name_of(target), name_of(by)));
}

void Audit::revoked(const Client& client, std::uint32_t pcr) {
  write(level::warn, Event::Revoked, client,
        fmt::format("attestation was revoked by {}: PCR {} was extended", name_of(client), pcr));
}

void Audit::not_revoked(const Client& client, proto::Status status) {
  write(level::warn, Event::Revoked, client,
        fmt::format("attestation was not revoked for {}: {}", name_of(client),
                    proto::status_text(status)));
}

void Audit::presence_requested(const Client& client, std::uint32_t operation) {
  write(level::warn, Event::PresenceRequested, client,
        fmt::format("physical presence operation {} was requested by {}", operation,
                    name_of(client)));
}

void Audit::owner_auth_read(const Client& client, std::string_view name) {
  write(level::info, Event::OwnerAuthRead, client,
        fmt::format("the owner authorization '{}' was asked for by {}", name, name_of(client)));
}

void Audit::captures(const Client& client, std::uint64_t context) {
  const std::string whose = context == 0 ? "all contexts" : fmt::format("context {}", context);
  write(level::warn, Event::Capture, client,
        fmt::format("{} captures commands and responses of {}", name_of(client), whose));
}

void Audit::maintenance_wanted(const Client& client, std::uint32_t seconds) {
  write(level::warn, Event::Maintenance, client,
        fmt::format("{} is to have the TPM alone for at most {} s: commands of others wait",
                    name_of(client), seconds));
}

void Audit::maintenance_ended(const char* why) {
  log_.write(level::warn, Event::Maintenance, {},
             fmt::format("the TPM is the daemon's again: {}", why));
}

void Audit::denied(const Client& client, std::string_view what) {
  write(level::warn, Event::Denied, client,
        fmt::format("{} is for administrators and was denied to {}", what, name_of(client)));
}

}  // namespace tbs::server
