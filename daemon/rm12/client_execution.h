#pragma once

// One client command for TPM 1.2, in the phases of daemon/exec/client_phases.h: it puts the parts
// that command_run.h names in order. Every kind of repair that leads back to an earlier phase has a
// bound.

#include <cstdint>
#include <optional>

#include "daemon/base/reused_memory.h"
#include "daemon/exec/client_phases.h"
#include "daemon/rm12/command_decision.h"
#include "daemon/rm12/command_repair.h"
#include "daemon/rm12/command_results.h"
#include "daemon/rm12/command_run.h"
#include "daemon/rm12/context_commands.h"
#include "daemon/rm12/procedure.h"
#include "daemon/rm12/tpm_probe.h"

namespace tbs::rm12 {

class ClientExecution final : public Procedure,
                              private exec::ClientPhases,
                              public ReusedMemory<ClientExecution> {
 public:
  ClientExecution(State& state, ContextId context, std::uint8_t locality, proto::Buffer command);

 private:
  Step next() override { return proceed(); }
  Step answered(proto::Bytes response, std::uint32_t code) override;
  Step failed(const Operation& operation, proto::Bytes response, std::uint32_t code) override;
  [[nodiscard]] bool can_give_up() const override { return phase_ <= Phase::Command; }
  bool leaves_for_later() override;

  std::optional<Step> look() override;
  std::optional<Step> decide() override;
  std::optional<Step> prepare() override;
  Step transmit() override;
  std::optional<Step> undo() override;
  std::optional<Step> verify() override;
  Step reply() override;

  Step answered_probe(proto::Bytes response);
  Step answered_verify(proto::Bytes response);
  Step finish(proto::Bytes response, std::uint32_t code);
  // Whether the repair is under way.
  bool follow(CommandRepair::Way way);
  std::optional<Operation> bring_in(Kind kind);
  void note_uses() const;
  [[nodiscard]] proto::Buffer physical_command() const;

  std::uint8_t locality_;
  CommandRun run_;
  ContextCommands contexts_{run_};
  CommandRepair repair_{run_};
  CommandDecision decision_{run_, contexts_};
  CommandResults results_{run_, contexts_};
  std::optional<TpmProbe> probe_;
  // After the look that follows a failure the command may be sent once more.
  bool repeat_ = false;
  std::optional<ListHandles> lists_;
};

}  // namespace tbs::rm12
