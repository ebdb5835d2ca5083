#pragma once

// Understands a client's command, and answers it without the TPM where that is possible: refusals,
// and what memory knows.

#include "daemon/rm12/command_run.h"
#include "daemon/rm12/context_commands.h"

namespace tbs::rm12 {

class CommandDecision {
 public:
  CommandDecision(CommandRun& run, ContextCommands& contexts) : run_(run), contexts_(contexts) {}

  // Looks the command's handles up and decides. True when the reply is ready.
  bool decide();

 private:
  bool understand();
  bool understand_wrapped();
  bool plan();
  bool decide_special();
  bool decide_get_capability();
  bool decide_reset();

  CommandRun& run_;
  ContextCommands& contexts_;
};

}  // namespace tbs::rm12
