#pragma once

// An engine of a daemon that dies again and again: at any input, in the middle of an execution too,
// it is thrown away, and a new one goes on from the last snapshot and the log. A twin that never
// dies is told the same, and must do the same: send the same bytes, give the same answers, tell the
// observer the same, and know the same.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/exec/execution.h"
#include "daemon/exec/observer.h"
#include "daemon/restart/engine_state.h"
#include "daemon/restart/outside.h"
#include "daemon/restart/recorded_engine.h"

namespace tbs::test {

// When the engines that are made next die.
struct Restarts {
  enum class When : std::uint8_t {
    Never,  // and nothing is recorded
    Every,  // before each input
    Once,   // before the input with the number `at`
    Some,   // before one in eight, by chance
  };

  When when = When::Never;
  std::uint64_t at = 0;
  std::uint64_t seed = 0;
  std::uint64_t snapshot_every = 20;  // inputs

  [[nodiscard]] bool dies(std::uint64_t input) const;
};

// From TBS_TEST_RESTARTS at first: "every", "some", or nothing.
Restarts& next_restarts();
// Those that follow from a fuzzer's input, unless `fixed` are set.
void choose_restarts(proto::Bytes input);
std::optional<Restarts>& fixed_restarts();
// How many inputs the engine had that was told something last.
std::uint64_t& inputs_told();

// One life of the daemon: its engine, and what is kept of it.
class Life {
 public:
  Life() = default;
  virtual ~Life() = default;
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  virtual exec::Engine& engine() = 0;
  virtual restart::EngineState& state() = 0;
  virtual restart::Outside& outside() = 0;
  // What its observers were told since the last call.
  virtual std::string take_told() = 0;
};

class RestartingEngine : public exec::Engine {
 public:
  using Make = std::function<std::unique_ptr<Life>()>;

  explicit RestartingEngine(Make make);
  ~RestartingEngine() override;
  RestartingEngine(const RestartingEngine&) = delete;
  RestartingEngine& operator=(const RestartingEngine&) = delete;

  void open_context(ContextId context, const Principal& principal) override;
  void skip_handles(ContextId context, std::uint32_t earlier) override;
  void inherit(ContextId heir, ContextId from) override;
  void close_context(ContextId context) override;
  std::unique_ptr<exec::Execution> execute(SharedCommand command) override;
  [[nodiscard]] std::size_t loads_needed(const ClientCommand& command) const override;
  proto::Status make_sticky(ContextId context, std::uint32_t handle, bool sticky) override;
  [[nodiscard]] exec::Usage usage() const override;
  [[nodiscard]] exec::AccountUsage usage_of(AccountId account) const override;
  [[nodiscard]] std::vector<proto::HoldingEntry> held_by(ContextId context,
                                                         std::size_t most) const override;
  std::unique_ptr<exec::Execution> housekeeping() override;
  std::unique_ptr<exec::Execution> idle_housekeeping() override;
  [[nodiscard]] std::optional<TimePoint> next_maintenance() const override;
  std::unique_ptr<exec::Execution> evict_all() override;
  std::unique_ptr<exec::Execution> bring_up() override;
  std::unique_ptr<exec::Execution> shutdown(bool owns_power) override;
  void device_lost() override;
  void apply(const restart::Setting& setting);

 protected:
  // The one that dies; without restarts, the only one.
  [[nodiscard]] Life& mortal() const { return mortal_ ? *mortal_->life : *twin_; }

 private:
  class Twins;
  struct Mortal final : restart::InputLog {
    explicit Mortal(std::unique_ptr<Life> made)
        : life(std::move(made)), engine(life->engine(), life->state(), life->outside()) {}
    void append(const restart::Input& input) override;

    std::unique_ptr<Life> life;
    restart::RecordedEngine engine;
    restart::Snapshot kept;
  };

  template <typename Tell>
  auto tell(const Tell& tell);
  template <typename Tell>
  std::unique_ptr<exec::Execution> make(const Tell& tell, SharedCommand command = nullptr);
  // Before and after each input.
  void begin();
  void end();
  void die();
  void go_on(std::optional<restart::Live> live);

  Make make_;
  Restarts restarts_;
  std::unique_ptr<Life> twin_;
  std::unique_ptr<Mortal> mortal_;
  Twins* live_ = nullptr;
  std::uint64_t inputs_ = 0;
};

}  // namespace tbs::test
