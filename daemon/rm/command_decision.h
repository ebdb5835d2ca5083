#pragma once

// Answers a client's command without the TPM where that is possible: what memory knows, and what
// would go past a limit.

#include <optional>

#include "daemon/rm/command_repair.h"
#include "daemon/rm/command_run.h"
#include "daemon/rm/context_commands.h"
#include "proto/tpm/capability.h"

namespace tbs::rm {

class CommandDecision {
 public:
  CommandDecision(CommandRun& run, ContextCommands& contexts, CommandRepair& repair)
      : run_(run), contexts_(contexts), repair_(repair) {}

  // Looks the command's handles up and decides. True when the reply is ready.
  bool decide();
  // What GetCapability asks for; empty for other commands.
  [[nodiscard]] const std::optional<tpm::CapabilityQuery>& query() const { return query_; }

 private:
  bool understand();
  bool refuse(const PlanFault& fault);
  bool decide_get_capability();
  bool decide_read_public();
  bool decide_new_session();

  CommandRun& run_;
  ContextCommands& contexts_;
  CommandRepair& repair_;
  std::optional<tpm::CapabilityQuery> query_;
};

}  // namespace tbs::rm
