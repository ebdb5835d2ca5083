#pragma once

// What stands between a client's command and the queue: the rules, and the guard against failed
// authorizations. It only decides; whoever asks answers the client and writes the log.

#include <cstdint>

#include "daemon/command/client_command.h"
#include "daemon/command/command_guard.h"
#include "daemon/policy/command_facts.h"
#include "daemon/policy/ownership.h"
#include "daemon/tpm/command_info.h"
#include "proto/rules/rule_index.h"
#include "proto/rules/rules.h"

namespace tbs::policy {

enum class Effect : std::uint8_t { Pass, Ignored, WouldBlock, Blocked, LockedOut };

struct Decision {
  Effect effect = Effect::Pass;
  const rules::Rule* rule = nullptr;  // with Blocked and WouldBlock
  std::uint32_t command = 0;          // the code of what was blocked, which another may carry
  proto::Buffer response;             // with Ignored, Blocked and LockedOut
};

class CommandFilter {
 public:
  // All must outlive it. `commands` is the TPM's own table, which may be empty or grow.
  CommandFilter(const tpm::CommandTable& commands, CommandGuard& guard, const Ownership& ownership)
      : commands_(commands), guard_(guard), ownership_(ownership) {}

  void set_rules(rules::Rules rules);
  [[nodiscard]] const rules::Rules& rules() const { return rules_; }

  Decision check(const ClientCommand& command);
  // The decision as far as the rules go.
  [[nodiscard]] Decision apply_rules(const ClientCommand& command) const;

 private:
  [[nodiscard]] std::optional<rules::Owner> owner_of(const ClientCommand& command) const;

  const tpm::CommandTable& commands_;
  CommandGuard& guard_;
  const Ownership& ownership_;
  rules::Rules rules_;
  rules::RuleIndex index_;
  Names names_ = Names::Omitted;
  bool needs_owner_ = false;
};

}  // namespace tbs::policy
