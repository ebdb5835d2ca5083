#pragma once

// Asks the guard about each client command at the last moment, when nothing else comes between it
// and the TPM: what was fine when a client sent it may not be any more, and what the TPM answers
// must be known even if the client has cancelled or gone. A guard that has to ask the TPM before it
// decides may do so.

#include "daemon/command/command_guard.h"
#include "daemon/exec/forwarding_engine.h"

namespace tbs::exec {

class GuardedEngine final : public ForwardingEngine {
 public:
  // Both must outlive it.
  GuardedEngine(Engine& engine, CommandGuard& guard) : engine_(engine), guard_(guard) {}

  std::unique_ptr<Execution> execute(SharedCommand command) override;

 private:
  std::unique_ptr<Execution> decide(SharedCommand command);
  [[nodiscard]] Engine& behind() const override { return engine_; }

  Engine& engine_;
  CommandGuard& guard_;
};

}  // namespace tbs::exec
