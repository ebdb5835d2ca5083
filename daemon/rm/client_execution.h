#pragma once

// One client command for TPM 2.0, in the phases of daemon/exec/client_phases.h: it puts the parts
// that command_run.h names in order. Every kind of repair that leads back to an earlier phase has a
// bound.

#include <cstdint>
#include <memory>
#include <optional>

#include "daemon/base/reused_memory.h"
#include "daemon/exec/client_phases.h"
#include "daemon/rm/command_decision.h"
#include "daemon/rm/command_repair.h"
#include "daemon/rm/command_results.h"
#include "daemon/rm/command_run.h"
#include "daemon/rm/context_commands.h"
#include "daemon/rm/handle_lists.h"
#include "daemon/rm/procedure.h"
#include "daemon/rm/tpm_probe.h"
#include "proto/tpm/capability.h"

namespace tbs::rm {

class ClientExecution final : public Procedure,
                              private exec::ClientPhases,
                              public ReusedMemory<ClientExecution> {
 public:
  ClientExecution(State& state, SharedCommand command);

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
  // Whether the repair is under way.
  bool repair(std::uint32_t code);
  Step finish(proto::Bytes response);
  std::optional<Operation> bring_in_objects();
  std::optional<Operation> bring_in_sessions();
  void note_uses() const;
  [[nodiscard]] proto::Buffer physical_command() const;

  CommandRun run_;
  ContextCommands contexts_{run_};
  CommandRepair repair_{run_};
  CommandDecision decision_{run_, contexts_, repair_};
  CommandResults results_{run_, contexts_};
  std::optional<TpmProbe> probe_;
  std::unique_ptr<HandleLists> lists_;  // with Options::verify
};

}  // namespace tbs::rm
