// Repairs: what to do when the TPM answers a client's command, or a step on the way to it, with a
// warning that the resource manager can put right. Every kind has a budget, so that no TPM can keep
// a command here for ever; past it the TPM's own answer goes to the client.

#include <algorithm>
#include <utility>

#include "daemon/rm/client_execution.h"
#include "daemon/rm/session_share.h"

namespace tbs::rm {
namespace {

using exec::Step;

// Takes one from the budget, if there is one left.
bool spend(unsigned& budget) {
  if (budget == 0) return false;
  --budget;
  return true;
}

}  // namespace

bool ClientExecution::repair(std::uint32_t code) {
  switch (tpm::remedy_of(code)) {
    case tpm::Remedy::FreeObject:
      learn_from_refusal();
      return free_object();
    case tpm::Remedy::FreeSession:
      state_.facts.shrink_sessions(state_.sessions.loaded_count());
      return free_session();
    case tpm::Remedy::FreeAny:
      return free_object() || free_session();
    case tpm::Remedy::DropSession:
      return drop_session();
    case tpm::Remedy::RefreshGap:
      return refresh_gap();
    case tpm::Remedy::CheckTables:
      return probe_again(TpmProbe::Reason::Check);
    case tpm::Remedy::Start:
      return view_.code() != tpm::cc::kStartup && probe_again(TpmProbe::Reason::Restart);
    case tpm::Remedy::Wait:
    case tpm::Remedy::None:
      break;
  }
  return false;
}

bool ClientExecution::free_object() {
  if (!evict_object(state_, plan_.pins()) || !spend(evictions_left_)) return false;
  ++state_.statistics.repairs;
  force_object_ = true;
  phase_ = Phase::Prepare;
  return true;
}

bool ClientExecution::free_session() {
  if (!evict_session(state_, plan_.pins()) || !spend(evictions_left_)) return false;
  ++state_.statistics.repairs;
  force_session_ = true;
  phase_ = Phase::Prepare;
  return true;
}

bool ClientExecution::drop_session() {
  if (!spend(drops_left_)) return false;
  dropped_ = session_to_drop(state_.sessions, user(), plan_.pins().sessions);
  if (dropped_ == nullptr) return false;
  ++state_.statistics.repairs;
  phase_ = Phase::Prepare;
  return true;
}

bool ClientExecution::refresh_gap() {
  if (!spend(gaps_left_)) return false;
  ++state_.statistics.repairs;
  gap_.emplace(state_, GapRefresh::Urgency::Now);
  phase_ = Phase::Prepare;
  return true;
}

bool ClientExecution::probe_again(TpmProbe::Reason reason) {
  if (!spend(surveys_left_)) return false;
  ++state_.statistics.repairs;
  probe_.emplace(state_, reason);
  phase_ = Phase::Check;
  return true;
}

// The TPM had no slot though the tables said that there is one.
void ClientExecution::learn_from_refusal() {
  if (phase_ != Phase::Command) return;
  const bool persistent = std::ranges::any_of(view_.handles, [](std::uint32_t handle) {
    return tpm::handle_type(handle) == tpm::HandleType::Persistent;
  });
  const std::size_t present = state_.objects_in_tpm();
  if (persistent && !state_.facts.persistent_takes_slot) {
    state_.facts.persistent_takes_slot = true;
    plan_.object_slots += 1;
  } else if (present + plan_.object_slots > state_.facts.guaranteed_objects) {
    state_.facts.shrink_objects(present + plan_.object_slots - 1);
  } else if (present == state_.facts.guaranteed_objects) {
    state_.commands.raise_working_slots(view_.code());
  }
}

std::optional<Operation> ClientExecution::forced() {
  if (force_object_) {
    const auto operation = evict_object(state_, plan_.pins());
    // Saving is the first of two steps.
    force_object_ = operation && operation->verb == Verb::SaveObject;
    if (operation) return operation;
  }
  if (std::exchange(force_session_, false)) return evict_session(state_, plan_.pins());
  return std::nullopt;
}

std::optional<Operation> ClientExecution::drop() {
  if (dropped_ == nullptr) return std::nullopt;
  Session& session = *std::exchange(dropped_, nullptr);
  state_.observer.session_dropped(session.user, session.handle,
                                  session.orphan() ? "too many sessions whose client has gone"
                                                   : "its user has more sessions than others");
  return flush(session);
}

Step ClientExecution::failed(const Operation& operation, proto::Bytes response,
                             std::uint32_t code) {
  gap_.reset();
  const bool settled = apply_failure(state_, operation, code);
  if (phase_ == Phase::Undo) return next();
  if (settled && spend(losses_left_)) {
    // Understood anew: a handle of the command may have lost its object.
    phase_ = Phase::Decide;
    return next();
  }
  if (!settled && repair(code)) return next();
  reply_.assign(response.begin(), response.end());
  phase_ = Phase::Undo;
  return next();
}

}  // namespace tbs::rm
