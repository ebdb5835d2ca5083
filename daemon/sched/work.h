#pragma once

// What can be under way on the TPM: a client's command, or work of the daemon's own.

#include <cstdint>
#include <memory>

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

// How it ended.
struct EndedWork {
  WorkKind kind;
  SharedCommand command;
  proto::Status status;
  Duration took;
  // Of that, the time for loading and evicting around a client's command that ran to its end.
  Duration swapping;
};

}  // namespace tbs::sched
