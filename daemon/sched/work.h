#pragma once

// What can be under way on the TPM: a client's command, or work of the daemon's own.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/command/client_command.h"
#include "daemon/exec/execution.h"
#include "proto/status.h"

namespace tbs::sched {

enum class WorkKind : std::uint8_t {
  Command,
  Maintenance,
  IdleMaintenance,  // can be left for later when a command comes
  BringUp,
  Shutdown,
};

struct Work {
  WorkKind kind;
  std::unique_ptr<exec::Execution> execution;
  SharedCommand command = nullptr;  // with WorkKind::Command
};

// What was under way in the process before this one.
struct LeftWork {
  Work work;
  // Its last step, a Transmit or a Pause; nothing when it was not started.
  std::optional<exec::Step> step;
  // What the execution was told already.
  bool withdrawn = false;
  bool detached = false;
  // The client's command has succeeded.
  bool carried_out = false;
};

// How it ended.
struct EndedWork {
  WorkKind kind;
  SharedCommand command;
  proto::Status status;
  Duration took;
  // Of that, the time for loading and evicting around a client's command that ran to its end.
  Duration swapping;
  // Anything was sent to the TPM for it.
  bool transmitted = false;
  // A client's command that is not answered, and can be executed anew; and what the TPM has said.
  exec::Later later = exec::Later::No;
  std::vector<std::uint8_t> response;
};

}  // namespace tbs::sched
