#pragma once

// What an administrator is told about clients: one function for each thing that can happen, so that
// the words and the fields of an event stand in one place (docs/events.md), and what is counted.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/policy/command_filter.h"
#include "daemon/server/audit_log.h"
#include "daemon/server/client.h"
#include "daemon/server/refusal_counts.h"
#include "daemon/server/state_changes.h"
#include "proto/status.h"

namespace tbs::server {

class Audit {
 public:
  // The log must outlive it.
  explicit Audit(AuditLog& log) : log_(log) {}

  void connected(const Client& client);
  void has_tpm_to_itself(const Client& client);
  // Its process was forked from that of the context.
  void inherits(const Client& client, std::uint64_t from);
  void does_not_inherit(const Client& client, std::uint64_t from);
  void disconnected(const Client& client, std::string_view reason);
  void no_context(const Client& client, std::size_t contexts, std::size_t of_user);
  void held_up(const Client& client, std::size_t waiting);
  void out_of_memory(const Client& client);

  // What the rules say of its command.
  void blocked(const Client& client, const policy::Decision& decision);
  // The lockout guard answered the command in the TPM's place.
  void answered_locked_out(const Client& client, std::uint32_t command);
  // From now on the guard holds the client's user back.
  void locked_out(const Client& client, std::uint32_t command);
  // It brought a wrong lockoutAuth, which the TPM refuses for so many seconds now.
  void lockout_auth_failed(const Client& client, std::uint32_t command, std::uint32_t seconds);
  void lockout_reset(const Client& client, const std::string& whose);
  // `handle`: the PCR or NV index, where it is one that was changed.
  void changed_tpm(const Client& client, std::uint32_t command, Change change,
                   std::uint32_t handle);

  void canceled(const Client& by, const Client& target);
  void revoked(const Client& client, std::uint32_t pcr);
  void not_revoked(const Client& client, proto::Status status);
  void presence_requested(const Client& client, std::uint32_t operation);
  void owner_auth_read(const Client& client, std::string_view name);
  // It reads commands and responses: of this context, or of all (0).
  void captures(const Client& client, std::uint64_t context);
  // It is to have the TPM alone for so many seconds; and no longer, for this reason.
  void maintenance_wanted(const Client& client, std::uint32_t seconds);
  void maintenance_ended(const char* why);
  // A request that is for administrators only.
  void denied(const Client& client, std::string_view what);

  // What no line of the log is written about, but metrics tell.
  void count(Refusal refusal) { ++refusals_[static_cast<std::size_t>(refusal)]; }
  [[nodiscard]] const RefusalCounts& refusals() const { return refusals_; }

 private:
  void write(spdlog::level::level_enum level, proto::Event event, const Client& client,
             const std::string& text);
  void write_command(spdlog::level::level_enum level, proto::Event event, const Client& client,
                     std::uint32_t command, const std::string& text);

  AuditLog& log_;
  RefusalCounts refusals_{};
};

}  // namespace tbs::server
