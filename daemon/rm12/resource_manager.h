#pragma once

// The engine for TPM 1.2: gives each context a TPM of its own out of one TPM. See state.h for what
// it knows, client_execution.h for what happens to a command.

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "daemon/base/record.h"
#include "daemon/exec/execution.h"
#include "daemon/rm12/state.h"

namespace tbs::rm12 {

class ResourceManager final : public exec::Engine {
 public:
  // `observer` must outlive the engine; executions must not.
  ResourceManager(exec::Options options, exec::Observer& observer)
      : state_(std::move(options), observer) {}

  void open_context(ContextId context, const Principal& principal) override;
  void skip_handles(ContextId context, std::uint32_t earlier) override {
    state_.table.skip_handles(context, earlier);
  }
  // Clients of TPM 1.2 keep their sessions with their keys, and those cannot be copied.
  void inherit(ContextId, ContextId) override {}
  void close_context(ContextId context) override;
  std::unique_ptr<exec::Execution> execute(SharedCommand command) override;
  // The TCTI, which has a call for it, is for TPM 2.0 alone.
  proto::Status make_sticky(ContextId, std::uint32_t, bool) override {
    return proto::Status::BadParameter;
  }
  [[nodiscard]] std::optional<TimePoint> next_maintenance() const override { return std::nullopt; }
  std::unique_ptr<exec::Execution> housekeeping() override;
  std::unique_ptr<exec::Execution> idle_housekeeping() override;
  std::unique_ptr<exec::Execution> evict_all() override;
  std::unique_ptr<exec::Execution> bring_up() override;
  std::unique_ptr<exec::Execution> shutdown(bool owns_power) override;
  void device_lost() override;
  [[nodiscard]] std::size_t loads_needed(const ClientCommand& command) const override;

  // Takes effect with the next command. What is held already stays.
  // `own_limits`: of the accounts for which others hold.
  void configure(const exec::Limits& limits, std::map<AccountId, exec::Limits> own_limits = {}) {
    state_.options.limits = limits;
    state_.options.own_limits = std::move(own_limits);
  }
  // All that can be configured; the clock stays what it is.
  void configure(exec::Options options);

  // What outlives the executions, while none is at work. A record that cannot be taken leaves
  // everything as it is; the reader says why.
  void save(RecordWriter& record) const;
  void restore(RecordReader& record);

  [[nodiscard]] exec::Usage usage() const override;
  [[nodiscard]] exec::AccountUsage usage_of(AccountId account) const override;
  [[nodiscard]] std::vector<proto::HoldingEntry> held_by(ContextId context,
                                                         std::size_t most) const override;
  [[nodiscard]] const State& state() const { return state_; }

 private:
  void reap();

  State state_;
};

}  // namespace tbs::rm12
