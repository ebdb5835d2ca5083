#include "daemon/restart/recorded_engine.h"

#include <utility>

#include "daemon/base/reused_memory.h"

namespace tbs::restart {
namespace {

// Also of the log that follows it.
constexpr RecordPart kRecord{.name = "recorded engine", .version = 1};

constexpr auto kNothing = [](RecordWriter&) {};

// `about`: how large it may be. What grows as it is written is there twice for a moment.
proto::Buffer saved(const EngineState& state, std::size_t about = 0) {
  proto::Buffer bytes;
  bytes.reserve(about + about / 8);
  RecordWriter record(bytes);
  record.part(kRecord);
  state.save(record);
  return bytes;
}

std::expected<void, std::string> restore(EngineState& state, proto::Bytes bytes) {
  RecordReader record(bytes);
  record.part(kRecord);
  if (record.ok()) state.restore(record);
  record.end();
  if (record.ok()) return {};
  return std::unexpected(record.reason());
}

}  // namespace

// Tells its steps to the log. Once it has ended, the one behind it is gone.
class RecordedExecution final : public exec::Execution, public ReusedMemory<RecordedExecution> {
 public:
  RecordedExecution(RecordedEngine& engine, std::unique_ptr<exec::Execution> execution)
      : engine_(engine), execution_(std::move(execution)) {
    engine_.live_ = this;
  }
  ~RecordedExecution() override {
    if (execution_ == nullptr) return;
    engine_.tell(InputKind::Dropped, kNothing, [this] { execution_.reset(); });
    ended();
  }
  RecordedExecution(const RecordedExecution&) = delete;
  RecordedExecution& operator=(const RecordedExecution&) = delete;

  exec::Step start() override {
    return step(InputKind::Start, kNothing, [this] { return execution_->start(); });
  }
  exec::Step on_response(proto::Bytes response) override {
    return step(
        InputKind::Response, [response](RecordWriter& record) { record.bytes(response); },
        [this, response] { return execution_->on_response(response); });
  }
  exec::Step on_pause_over() override {
    return step(InputKind::PauseOver, kNothing, [this] { return execution_->on_pause_over(); });
  }
  void withdraw() override {
    if (execution_ == nullptr) return;
    engine_.tell(InputKind::Withdraw, kNothing, [this] { execution_->withdraw(); });
  }
  void detach() override {
    if (execution_ == nullptr) return;
    engine_.tell(InputKind::Detach, kNothing, [this] { execution_->detach(); });
  }

 private:
  template <typename Write, typename Run>
  exec::Step step(InputKind kind, const Write& write, const Run& run) {
    exec::Step step = engine_.tell(kind, write, run);
    if (std::holds_alternative<exec::Done>(step)) {
      execution_.reset();
      ended();
    }
    return step;
  }
  void ended() {
    if (engine_.live_ == this) engine_.live_ = nullptr;
  }

  RecordedEngine& engine_;
  std::unique_ptr<exec::Execution> execution_;
};

// An entry is written whole: what the input is, what is asked meanwhile, and what comes of it.
template <typename Write, typename Run>
std::invoke_result_t<Run> RecordedEngine::tell(InputKind kind, const Write& write, const Run& run) {
  begin();
  if (!records()) return run();
  entry_.clear();
  RecordWriter record(entry_);
  write(record);
  outside_.record(record);
  if constexpr (std::is_void_v<std::invoke_result_t<Run>>) {
    run();
    outside_.end();
    append(kind);
  } else {
    auto result = run();
    outside_.end();
    note(result, record);
    append(kind);
    return result;
  }
}

template <typename Write, typename Run>
std::unique_ptr<exec::Execution> RecordedEngine::make(InputKind kind, const Write& write,
                                                      const Run& run) {
  return watched(tell(kind, write, run));
}

void RecordedEngine::begin() {
  if (!wanted_ || live_ != nullptr) return;
  wanted_ = false;
  snapshot_ = Snapshot{.state = saved(state_, saved_size_), .inputs = {}};
  saved_size_ = snapshot_->state.size();
}

void RecordedEngine::append(InputKind kind) {
  if (log_ != nullptr) log_->append({.kind = kind, .bytes = entry_});
  if (snapshot_) snapshot_->inputs.push_back({.kind = kind, .bytes = entry_});
}

std::unique_ptr<exec::Execution> RecordedEngine::watched(
    std::unique_ptr<exec::Execution> execution) {
  if (execution == nullptr) return nullptr;
  return std::make_unique<RecordedExecution>(*this, std::move(execution));
}

void RecordedEngine::open_context(ContextId context, const Principal& principal) {
  tell(
      InputKind::OpenContext, [&](RecordWriter& record) { record(context, principal); },
      [&] { engine_.open_context(context, principal); });
}

void RecordedEngine::skip_handles(ContextId context, std::uint32_t earlier) {
  tell(
      InputKind::SkipHandles, [&](RecordWriter& record) { record(context, earlier); },
      [&] { engine_.skip_handles(context, earlier); });
}

void RecordedEngine::inherit(ContextId heir, ContextId from) {
  tell(
      InputKind::Inherit, [&](RecordWriter& record) { record(heir, from); },
      [&] { engine_.inherit(heir, from); });
}

void RecordedEngine::close_context(ContextId context) {
  tell(
      InputKind::CloseContext, [&](RecordWriter& record) { record(context); },
      [&] { engine_.close_context(context); });
}

std::unique_ptr<exec::Execution> RecordedEngine::execute(SharedCommand command) {
  return make(
      InputKind::Execute,
      [&](RecordWriter& record) {
        // In front, for who only wants to know whose it is (left_record).
        record(command->context(), command->request());
        save(*command, requesters_, record);
      },
      [&] { return engine_.execute(command); });
}

proto::Status RecordedEngine::make_sticky(ContextId context, std::uint32_t handle, bool sticky) {
  return tell(
      InputKind::MakeSticky, [&](RecordWriter& record) { record(context, handle, sticky); },
      [&] { return engine_.make_sticky(context, handle, sticky); });
}

std::unique_ptr<exec::Execution> RecordedEngine::housekeeping() {
  // What would come to nothing is no input. It is asked for before each command.
  if (!engine_.may_have_housekeeping()) return nullptr;
  return make(InputKind::Housekeeping, kNothing, [this] { return engine_.housekeeping(); });
}

std::unique_ptr<exec::Execution> RecordedEngine::idle_housekeeping() {
  return make(InputKind::IdleHousekeeping, kNothing,
              [this] { return engine_.idle_housekeeping(); });
}

std::unique_ptr<exec::Execution> RecordedEngine::evict_all() {
  return make(InputKind::EvictAll, kNothing, [this] { return engine_.evict_all(); });
}

std::unique_ptr<exec::Execution> RecordedEngine::bring_up() {
  return make(InputKind::BringUp, kNothing, [this] { return engine_.bring_up(); });
}

std::unique_ptr<exec::Execution> RecordedEngine::shutdown(bool owns_power) {
  return make(
      InputKind::Shutdown, [&](RecordWriter& record) { record(owns_power); },
      [&] { return engine_.shutdown(owns_power); });
}

void RecordedEngine::device_lost() {
  tell(InputKind::DeviceLost, kNothing, [this] { engine_.device_lost(); });
}

void RecordedEngine::apply(const Setting& setting) {
  tell(
      InputKind::Apply, [&](RecordWriter& record) { save(setting, record); },
      [&] { state_.apply(setting); });
}

std::optional<Snapshot> RecordedEngine::take_snapshot() {
  begin();
  return std::exchange(snapshot_, std::nullopt);
}

std::expected<std::optional<Live>, std::string> RecordedEngine::recover(
    proto::Bytes state, std::span<const Input> inputs, const Ended& ended) {
  const proto::Buffer before = saved(state_);
  auto live = replayed(state, inputs, ended);
  if (live) {
    if (*live) (*live)->execution = watched(std::move((*live)->execution));
  } else {
    static_cast<void>(restore(state_, before));
  }
  return live;
}

std::expected<std::optional<Live>, std::string> RecordedEngine::replayed(
    proto::Bytes state, std::span<const Input> inputs, const Ended& ended) {
  if (auto restored = restore(state_, state); !restored) {
    return std::unexpected("the saved state: " + restored.error());
  }
  Replay replay(engine_, state_, outside_, ended);
  for (const Input& input : inputs) {
    if (auto told = replay.tell(input); !told) {
      return std::unexpected("input " + std::to_string(&input - inputs.data() + 1) + " of " +
                             std::to_string(inputs.size()) + ", of kind " +
                             std::to_string(static_cast<unsigned>(input.kind)) + ": " +
                             told.error());
    }
  }
  return replay.take_live();
}

}  // namespace tbs::restart
