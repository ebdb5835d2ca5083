#pragma once

// Tells an engine again what it was told before, and sees that the same comes of it. What was under
// way when the log ends is under way again.

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/command/client_command.h"
#include "daemon/exec/execution.h"
#include "daemon/restart/engine_state.h"
#include "daemon/restart/input_log.h"
#include "daemon/restart/outside.h"

namespace tbs::restart {

// An execution that had not ended.
struct Live {
  std::unique_ptr<exec::Execution> execution;
  InputKind origin = InputKind::Execute;  // the call that made it
  SharedCommand command;                  // with Execute
  // Its last one, a Transmit or a Pause; empty when it was not started.
  std::optional<exec::Step> step;
  bool withdrawn = false;
  bool detached = false;
  // The TPM has answered the client's own command with success: too late for a cancel.
  bool carried_out = false;
};

// With which input, from 0 on, which client's command has ended, and what its client gets.
using Ended = std::function<void(std::size_t, const SharedCommand&, const exec::Done&)>;

class Replay {
 public:
  // All must outlive it.
  Replay(exec::Engine& engine, EngineState& state, Outside& outside, const Ended& ended)
      : engine_(engine), state_(state), outside_(outside), ended_(ended) {}

  std::expected<void, std::string> tell(const Input& input);
  // What is under way now.
  std::optional<Live> take_live() { return std::exchange(live_, std::nullopt); }

 private:
  void call(InputKind kind, RecordReader& record);
  void make(InputKind kind, RecordReader& record);
  void step(InputKind kind, RecordReader& record);
  std::unique_ptr<exec::Execution> made_by(InputKind kind, RecordReader& record);
  exec::Step take_step(InputKind kind, RecordReader& record);
  [[nodiscard]] bool may_come(InputKind kind) const;
  void follow(exec::Step step);
  template <typename Tell>
  void run(RecordReader& record, const Tell& tell);
  template <typename Result>
  void compare(const Result& result, RecordReader& record);

  exec::Engine& engine_;
  EngineState& state_;
  Outside& outside_;
  const Ended& ended_;
  std::size_t told_ = 0;  // inputs before this one
  std::optional<Live> live_;
  SharedCommand command_;  // of the execution that is being made
};

}  // namespace tbs::restart
