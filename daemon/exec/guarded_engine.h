#pragma once

// Stands in front of another engine and asks its judge about each client command at the last
// moment, when nothing else comes between it and the TPM: what was fine when a client sent it may
// not be any more, and what the TPM answers must be known even if the client has cancelled or gone.

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "daemon/exec/execution.h"

namespace tbs::exec {

class GuardedEngine : public Engine {
 public:
  // Told each response of the TPM to the client's command, repetitions included.
  using Watcher = std::function<void(std::span<const std::uint8_t> response)>;
  struct Verdict {
    std::optional<std::vector<std::uint8_t>> answer;  // instead of running the command
    Watcher watcher;                                  // may be empty
  };
  using Judge = std::function<Verdict(ContextId context, std::span<const std::uint8_t> command)>;

  // `engine` must outlive it.
  explicit GuardedEngine(Engine& engine) : engine_(engine) {}

  void set_judge(Judge judge) { judge_ = std::move(judge); }

  std::unique_ptr<Execution> execute(ContextId context, std::uint8_t locality,
                                     std::vector<std::uint8_t> command) override;
  void open_context(ContextId context, UserId user) override {
    engine_.open_context(context, user);
  }
  void close_context(ContextId context) override { engine_.close_context(context); }
  [[nodiscard]] std::size_t loads_needed(ContextId context,
                                         std::span<const std::uint8_t> command) override {
    return engine_.loads_needed(context, command);
  }
  proto::Status make_sticky(ContextId context, std::uint32_t handle, bool sticky) override {
    return engine_.make_sticky(context, handle, sticky);
  }
  [[nodiscard]] Holdings held_by(ContextId context) override { return engine_.held_by(context); }
  std::unique_ptr<Execution> housekeeping() override { return engine_.housekeeping(); }
  std::unique_ptr<Execution> idle_housekeeping() override { return engine_.idle_housekeeping(); }
  [[nodiscard]] std::optional<TimePoint> next_maintenance() override {
    return engine_.next_maintenance();
  }
  std::unique_ptr<Execution> evict_all() override { return engine_.evict_all(); }
  std::unique_ptr<Execution> bring_up() override { return engine_.bring_up(); }
  std::unique_ptr<Execution> shutdown(bool owns_power) override {
    return engine_.shutdown(owns_power);
  }
  void device_lost() override { engine_.device_lost(); }

 private:
  Engine& engine_;
  Judge judge_;
};

}  // namespace tbs::exec
