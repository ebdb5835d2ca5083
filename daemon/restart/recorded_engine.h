#pragma once

// An engine that can be given up at any moment and taken up again by another process: it stands in
// front of all others, and keeps a log of what they are told. Their state is saved now and then,
// while no execution is at work; what they were told since then brings them from there to where
// they were, in the middle of an execution too. So nothing behind it has to say what it changes,
// and no execution has to be saved.
//
// It keeps to one execution at a time, as the dispatcher does.

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "daemon/exec/execution.h"
#include "daemon/restart/command_record.h"
#include "daemon/restart/engine_state.h"
#include "daemon/restart/input_log.h"
#include "daemon/restart/outcome.h"
#include "daemon/restart/outside.h"
#include "daemon/restart/replay.h"

namespace tbs::restart {

// What another process can go on from: a state, and what was told since.
struct Snapshot {
  struct Entry {
    InputKind kind;
    proto::Buffer bytes;
  };

  proto::Buffer state;
  std::vector<Entry> inputs;
};

class RecordedEngine final : public exec::Engine {
 public:
  // `engine` is the outermost of those whose parts `state` has, and what they ask goes to
  // `outside`. All must outlive it; executions must not.
  RecordedEngine(exec::Engine& engine, EngineState& state, Outside& outside)
      : engine_(engine), state_(state), outside_(outside) {}

  // Null: nothing is recorded. It must outlive this, or be taken back.
  void record_to(InputLog* log) { log_ = log; }

  void open_context(ContextId context, const Principal& principal) override;
  void skip_handles(ContextId context, std::uint32_t earlier) override;
  void inherit(ContextId heir, ContextId from) override;
  void close_context(ContextId context) override;
  std::unique_ptr<exec::Execution> execute(SharedCommand command) override;
  [[nodiscard]] std::size_t loads_needed(const ClientCommand& command) const override {
    return engine_.loads_needed(command);
  }
  proto::Status make_sticky(ContextId context, std::uint32_t handle, bool sticky) override;
  [[nodiscard]] exec::Usage usage() const override { return engine_.usage(); }
  [[nodiscard]] exec::AccountUsage usage_of(AccountId account) const override {
    return engine_.usage_of(account);
  }
  [[nodiscard]] std::vector<proto::HoldingEntry> held_by(ContextId context,
                                                         std::size_t most) const override {
    return engine_.held_by(context, most);
  }
  std::unique_ptr<exec::Execution> housekeeping() override;
  [[nodiscard]] bool may_have_housekeeping() const override {
    return engine_.may_have_housekeeping();
  }
  std::unique_ptr<exec::Execution> idle_housekeeping() override;
  [[nodiscard]] std::optional<TimePoint> next_maintenance() const override {
    return engine_.next_maintenance();
  }
  std::unique_ptr<exec::Execution> evict_all() override;
  std::unique_ptr<exec::Execution> bring_up() override;
  std::unique_ptr<exec::Execution> shutdown(bool owns_power) override;
  void device_lost() override;

  void apply(const Setting& setting);

  // Asks for a snapshot. Under load there is always an execution at work when somebody asks, but
  // never between two of them: it is made then, with what is told afterwards. Whoever asks again
  // gets that one.
  void want_snapshot() { wanted_ = !snapshot_; }
  // Nothing while it is not there yet.
  std::optional<Snapshot> take_snapshot();

  // Goes on from a snapshot and what was told since; nothing must be under way. `ended` hears of
  // each client's command that ended in between: its answer may not have reached the client. What
  // is under way then is recorded like everything else. When it cannot be done nothing has changed,
  // and the reason is returned.
  std::expected<std::optional<Live>, std::string> recover(proto::Bytes state,
                                                          std::span<const Input> inputs,
                                                          const Ended& ended = {});

 private:
  friend class RecordedExecution;

  [[nodiscard]] bool records() const { return log_ != nullptr || snapshot_; }
  template <typename Write, typename Run>
  std::invoke_result_t<Run> tell(InputKind kind, const Write& write, const Run& run);
  template <typename Write, typename Run>
  std::unique_ptr<exec::Execution> make(InputKind kind, const Write& write, const Run& run);
  void begin();
  void append(InputKind kind);
  std::unique_ptr<exec::Execution> watched(std::unique_ptr<exec::Execution> execution);
  std::expected<std::optional<Live>, std::string> replayed(proto::Bytes state,
                                                           std::span<const Input> inputs,
                                                           const Ended& ended);

  exec::Engine& engine_;
  EngineState& state_;
  Outside& outside_;
  InputLog* log_ = nullptr;
  const exec::Execution* live_ = nullptr;  // what has not ended
  bool wanted_ = false;
  std::optional<Snapshot> snapshot_;
  std::size_t saved_size_ = 0;  // of the last one's state
  proto::Buffer entry_;         // that is being written; kept for its memory
  RequesterRecords requesters_;
};

}  // namespace tbs::restart
