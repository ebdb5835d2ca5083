#pragma once

// One client command on its way through the resource manager: what the parts of its execution
// share. The parts are command_decision (can it be answered without the TPM), context_commands
// (saving and loading), flush_commands, command_repair (what to do when the TPM refuses) and
// command_results (what its success means to the tables); client_execution puts them in order.

#include <cstdint>
#include <optional>
#include <utility>

#include "daemon/base/ids.h"
#include "daemon/rm12/plan.h"
#include "daemon/rm12/state.h"
#include "daemon/tpm12/command_view.h"
#include "proto/byte_writer.h"

namespace tbs::rm12 {

struct CommandRun {
  CommandRun(State& all, ContextId of, proto::Buffer bytes)
      : state(all), context(of), command(std::move(bytes)) {}
  // `view` points into `command`.
  CommandRun(const CommandRun&) = delete;
  CommandRun& operator=(const CommandRun&) = delete;
  CommandRun(CommandRun&&) = delete;
  CommandRun& operator=(CommandRun&&) = delete;
  ~CommandRun() = default;

  State& state;
  ContextId context;
  proto::Buffer command;
  tpm12::CommandView view;
  // What TPM_ExecuteTransport carries.
  std::optional<tpm12::CommandView> wrapped;
  Plan plan;
  // What the client gets. When it is known while the command is still being decided, the TPM has
  // refused the command, and that is the answer unless it can be sent again.
  proto::Buffer reply;

  [[nodiscard]] const Principal& principal() const { return state.table.principal_of(context); }
  [[nodiscard]] bool authorized() const {
    return view.auth_count != 0 || (wrapped && wrapped->auth_count != 0);
  }
  // What the context may use under this handle. One that is lost is given up by this.
  Resource* usable(Kind kind, exec::VirtualHandle handle);

  // These make the reply without the TPM, and return true.
  // A command that is malformed costs its sessions nothing.
  bool refuse(std::uint32_t code);
  // As on a TPM, a command that is refused for what it asks ends its sessions.
  bool refuse_run(std::uint32_t code);
  bool reply_from_memory(proto::Buffer answer);

 private:
  void end_sessions_of(const tpm12::CommandView& named);
};

}  // namespace tbs::rm12
