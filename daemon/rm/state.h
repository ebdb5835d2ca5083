#pragma once

// Everything that outlives an execution: the tables, what is known of the TPM, and what both
// families keep (daemon/exec/manager_state.h).

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/exec/manager_state.h"
#include "daemon/rm/capability_cache.h"
#include "daemon/rm/facts.h"
#include "daemon/rm/object_table.h"
#include "daemon/rm/session_table.h"
#include "daemon/tpm/command_info.h"

namespace tbs::rm {

struct State : exec::ManagerState {
  using ManagerState::ManagerState;

  Facts facts;
  tpm::CommandTable commands;
  CapabilityCache capabilities;

  std::unordered_map<ContextId, Principal> contexts;  // open ones
  ObjectTable objects;
  // Contexts that get copies of another one's objects at their next command: which one's.
  std::map<ContextId, ContextId> heirs;
  SessionTable sessions;
  // What is still in the TPM but belongs to nobody any more: physical handles to be flushed.
  std::vector<exec::PhysicalHandle> stray_objects;
  std::vector<exec::PhysicalHandle> stray_sessions;

  // The TPM's count of failed authorizations has changed, or its limit.
  bool lockout_due = false;

  [[nodiscard]] std::size_t objects_in_tpm() const {
    return objects.loaded().size() + stray_objects.size();
  }
  [[nodiscard]] std::optional<exec::PhysicalHandle> first_stray() const {
    if (!stray_objects.empty()) return stray_objects.front();
    if (!stray_sessions.empty()) return stray_sessions.front();
    return std::nullopt;
  }
};

}  // namespace tbs::rm
