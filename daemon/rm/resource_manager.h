#pragma once

// The engine for TPM 2.0: gives each context a TPM of its own out of one TPM. See state.h for what
// it knows, client_execution.h for what happens to a command.

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "daemon/base/record.h"
#include "daemon/exec/execution.h"
#include "daemon/exec/limits.h"
#include "daemon/exec/observer.h"
#include "daemon/exec/statistics.h"
#include "daemon/rm/inheritance.h"
#include "daemon/rm/state.h"

namespace tbs::rm {

// What a context holds, for listings.
struct Holdings {
  std::size_t objects = 0;
  std::size_t loaded_objects = 0;
  std::size_t sessions = 0;
  std::size_t loaded_sessions = 0;
};

class ResourceManager final : public exec::Engine {
 public:
  // `observer` must outlive the engine; executions must not.
  ResourceManager(exec::Options options, exec::Observer& observer);

  // What can be changed while running. Nobody loses what is there already, orphans aside.
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

  void open_context(ContextId context, const Principal& principal) override;
  void skip_handles(ContextId context, std::uint32_t earlier) override {
    state_.objects.skip_handles(context, earlier);
  }
  void inherit(ContextId heir, ContextId from) override { note_heir(state_, heir, from); }
  void close_context(ContextId context) override;
  std::unique_ptr<exec::Execution> execute(SharedCommand command) override;
  proto::Status make_sticky(ContextId context, std::uint32_t handle, bool sticky) override;
  std::unique_ptr<exec::Execution> housekeeping() override;
  [[nodiscard]] bool may_have_housekeeping() const override;
  std::unique_ptr<exec::Execution> idle_housekeeping() override;
  // When the next orphaned session expires.
  [[nodiscard]] std::optional<TimePoint> next_maintenance() const override;
  std::unique_ptr<exec::Execution> evict_all() override;
  std::unique_ptr<exec::Execution> bring_up() override;
  std::unique_ptr<exec::Execution> shutdown(bool owns_power) override;
  void device_lost() override;

  [[nodiscard]] std::size_t loads_needed(const ClientCommand& command) const override;
  [[nodiscard]] exec::Usage usage() const override;
  [[nodiscard]] exec::AccountUsage usage_of(AccountId account) const override;
  [[nodiscard]] std::vector<proto::HoldingEntry> held_by(ContextId context,
                                                         std::size_t most) const override;
  [[nodiscard]] Holdings holdings(ContextId context);
  [[nodiscard]] const exec::Statistics& statistics() const { return state_.statistics; }
  // Grows when the TPM has been asked which commands it knows.
  [[nodiscard]] const tpm::CommandTable& commands() const { return state_.commands; }
  [[nodiscard]] const Facts& facts() const { return state_.facts; }

 private:
  void reap();
  void reap(ContextId context);
  void release_session(Session& session);

  State state_;
};

}  // namespace tbs::rm
