#pragma once

// What a resource manager of either family keeps beside its tables: how it shall behave, whom it
// tells, what it counts, and what is due. It outlives the executions.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/exec/limits.h"
#include "daemon/exec/observer.h"
#include "daemon/exec/statistics.h"
#include "proto/byte_writer.h"

namespace tbs::exec {

struct ManagerState {
  ManagerState(Options chosen, Observer& told) : options(std::move(chosen)), observer(told) {}

  Options options;
  Observer& observer;
  Statistics statistics;

  // The tables may be wrong: look into the TPM before the next command.
  bool check_due = false;
  // The TPM wants to be started before anything else.
  bool start_due = false;
  // The TPM refused work of our own: none is due until the next client command.
  bool maintenance_stalled = false;
  // Saved sessions that may be refreshed before the TPM complains. Each takes one, and each client
  // command brings one: a TPM whose numbers make refreshing never end keeps nobody from being
  // served.
  std::size_t refreshes_left = kMostRefreshes;
  static constexpr std::size_t kMostRefreshes = 64;  // sessions that a TPM has
  // The TPM was looked at once: what is found in it later is no leftover of an earlier run.
  bool brought_up = false;
  // Executions that have started and not ended. Tables that they may point into must not shrink
  // behind their back.
  unsigned active_executions = 0;
  // Contexts that have closed, with what they own still in the tables.
  std::vector<ContextId> closed;

  // What an execution has sent last, in case it must be sent again: of one that has ended only the
  // memory counts, for the next one.
  proto::Buffer sent_before;

  // A client's command is about to be executed.
  void note_client_command() {
    maintenance_stalled = false;
    refreshes_left = std::min(refreshes_left + 1, kMostRefreshes);
    ++statistics.client_commands;
  }

  std::uint64_t next_use() { return ++uses_; }
  // Those closed contexts whose entries can be removed now: none while an execution is at work.
  std::vector<ContextId> take_closed() {
    return active_executions != 0 ? std::vector<ContextId>{} : std::exchange(closed, {});
  }

  // While no execution is at work.
  template <typename Record>
  void fields(Record& record) {
    record(options, statistics, check_due, start_due, maintenance_stalled, refreshes_left,
           brought_up, closed, uses_);
  }

 private:
  std::uint64_t uses_ = 0;
};

}  // namespace tbs::exec
