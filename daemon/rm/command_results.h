#pragma once

// After the TPM has run a client's command: what it made is registered, what it ended is dropped,
// and the response gets the client's own handles.

#include <cstdint>
#include <optional>

#include "daemon/rm/command_run.h"
#include "daemon/rm/context_commands.h"
#include "daemon/rm/tpm_probe.h"
#include "daemon/tpm/response_view.h"
#include "proto/tpm/capability.h"

namespace tbs::rm {

class CommandResults {
 public:
  CommandResults(CommandRun& run, ContextCommands& contexts) : run_(run), contexts_(contexts) {}

  // The command has succeeded. `query` is that of GetCapability; `detached`: nobody waits for the
  // reply, so that what was made becomes a stray. Returns why the TPM has to be looked at, when it
  // has.
  std::optional<TpmProbe::Reason> take(const tpm::ResponseView& response,
                                       const std::optional<tpm::CapabilityQuery>& query,
                                       bool detached);

 private:
  bool erase_flushed();
  void end_sessions(const tpm::ResponseView& response);
  void register_object(exec::PhysicalHandle physical, bool detached);
  void register_session(exec::PhysicalHandle handle, bool detached);
  void remember(const std::optional<tpm::CapabilityQuery>& query);
  std::optional<TpmProbe::Reason> note_side_effects();
  void drop_cleared_hierarchies();

  CommandRun& run_;
  ContextCommands& contexts_;
};

}  // namespace tbs::rm
