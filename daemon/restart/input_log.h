#pragma once

// What the engine was told since its state was last saved, one entry for each time. An entry has
// what was told, what the engine asked of the world meanwhile (outside.h), and what came of it, so
// that telling it again can be compared with the first time.

#include <cstdint>

#include "proto/byte_reader.h"

namespace tbs::restart {

// The numbers stand in the log: they are never given to something else.
enum class InputKind : std::uint16_t {
  // Calls of exec::Engine.
  OpenContext = 1,
  CloseContext = 2,
  MakeSticky = 3,
  DeviceLost = 4,
  // Those that may make an execution.
  Execute = 5,
  Housekeeping = 6,
  IdleHousekeeping = 7,
  EvictAll = 8,
  BringUp = 9,
  Shutdown = 10,
  // Calls of exec::Execution, of which there is one at a time.
  Start = 11,
  Response = 12,
  PauseOver = 13,
  Withdraw = 14,
  Detach = 15,
  Dropped = 16,  // before its end
  // What is set from outside (setting.h).
  Apply = 17,
  // exec::Engine again.
  SkipHandles = 18,
  Inherit = 19,
};

struct Input {
  InputKind kind;
  proto::Bytes bytes;
};

class InputLog {
 public:
  virtual ~InputLog() = default;

  // The entry counts from the owner's next commit on. That comes before anything is sent of what
  // the input led to.
  virtual void append(const Input& input) = 0;
};

}  // namespace tbs::restart
