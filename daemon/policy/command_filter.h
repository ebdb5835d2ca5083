#pragma once

// What stands between a client's command and the queue: the rules, and the lockout guard. It only
// decides; whoever asks answers the client and writes the log.

#include <cstdint>
#include <optional>

#include "daemon/base/ids.h"
#include "daemon/policy/command_facts.h"
#include "daemon/policy/lockout_guard.h"
#include "daemon/policy/rules.h"
#include "daemon/tpm/command_info.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::policy {

struct Command {
  UserId user{};
  RoleSet roles = 0;
  std::uint32_t priority = 0;
  std::uint32_t locality = 0;
  proto::Bytes bytes;  // with a valid header
};

enum class Outcome : std::uint8_t { Pass, WouldBlock, Blocked, LockedOut };

struct Decision {
  Outcome outcome = Outcome::Pass;
  const Rule* rule = nullptr;  // with Blocked and WouldBlock
  std::uint32_t command = 0;   // the code of what was judged, which another command may carry
  proto::Buffer response;      // with Blocked and LockedOut
};

class CommandFilter {
 public:
  // `commands` is the TPM's own table, which outlives the gate; it may be empty or grow.
  explicit CommandFilter(const tpm::CommandTable& commands) : commands_(commands) {}

  void set_rules(Rules rules);
  [[nodiscard]] const Rules& rules() const { return rules_; }
  LockoutGuard& guard() { return guard_; }

  Decision check(const Command& command, std::uint32_t tpm_version, std::uint64_t now);
  // What a command is answered instead of reaching the TPM, when the guard holds its user back.
  std::optional<proto::Buffer> locked_out(UserId user, RoleSet roles, proto::Bytes command,
                                          std::uint32_t tpm_version, std::uint64_t now);
  // Tells what the TPM answered, the response code; true when it was a failure that counts.
  bool answered(UserId user, RoleSet roles, std::uint32_t tpm_version, std::uint32_t result,
                std::uint64_t now);

 private:
  [[nodiscard]] CommandFacts facts_of(const Command& command, proto::Bytes bytes,
                                      std::uint32_t tpm_version) const;
  // The outcome as far as the rules go.
  [[nodiscard]] Decision evaluate_command(const Command& command, std::uint32_t tpm_version) const;

  const tpm::CommandTable& commands_;
  Rules rules_;
  bool needs_handles_ = false;
  LockoutGuard guard_;
};

}  // namespace tbs::policy
