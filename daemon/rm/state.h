#pragma once

// Everything that outlives an execution: the tables, what is known of the TPM, and what is due.

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/exec/execution.h"
#include "daemon/rm/capability_cache.h"
#include "daemon/rm/facts.h"
#include "daemon/rm/limits.h"
#include "daemon/rm/object_table.h"
#include "daemon/rm/observer.h"
#include "daemon/rm/session_table.h"
#include "daemon/rm/statistics.h"
#include "daemon/tpm/command_info.h"

namespace tbs::rm {

struct State {
  State(Options chosen, Observer& told) : options(std::move(chosen)), observer(told) {}

  Options options;
  Observer& observer;
  Facts facts;
  tpm::CommandTable commands;
  CapabilityCache capabilities;
  Statistics statistics;

  std::unordered_map<ContextId, UserId> contexts;  // open ones
  ObjectTable objects;
  SessionTable sessions;
  // What is still in the TPM but belongs to nobody any more: physical handles to be flushed.
  std::vector<std::uint32_t> stray_objects;
  std::vector<std::uint32_t> stray_sessions;

  // The tables may be wrong: look into the TPM before the next command.
  bool check_due = false;
  // The TPM wants TPM2_Startup before anything else.
  bool start_due = false;
  // The TPM refused work of our own: none is due until the next client command.
  bool chores_stalled = false;
  // The TPM was looked at once: what is found in it later is no leftover of an earlier run.
  bool brought_up = false;
  // Executions that have started and not ended. Tables that they may point into must not shrink
  // behind their back.
  unsigned active_executions = 0;

  std::uint64_t next_use() { return ++uses_; }
  [[nodiscard]] std::size_t objects_in_tpm() const {
    return objects.loaded().size() + stray_objects.size();
  }
  [[nodiscard]] std::optional<std::uint32_t> first_stray() const {
    if (!stray_objects.empty()) return stray_objects.front();
    if (!stray_sessions.empty()) return stray_sessions.front();
    return std::nullopt;
  }

 private:
  std::uint64_t uses_ = 0;
};

}  // namespace tbs::rm
