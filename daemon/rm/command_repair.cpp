#include "daemon/rm/command_repair.h"

#include <algorithm>
#include <utility>

#include "daemon/rm/session_share.h"

namespace tbs::rm {

CommandRepair::Way CommandRepair::repair(std::uint32_t code, bool client_command) {
  const auto room = [](bool made) { return made ? Way::MakeRoom : Way::None; };
  switch (tpm::remedy_of(code)) {
    case tpm::Remedy::FreeObject:
      if (client_command) learn_from_refusal();
      return room(free_object());
    case tpm::Remedy::FreeSession:
      run_.state.facts.shrink_sessions(run_.state.sessions.loaded_count());
      return room(free_session());
    case tpm::Remedy::FreeAny:
      return room(free_object() || free_session());
    case tpm::Remedy::DropSession:
      return room(drop_session());
    case tpm::Remedy::RefreshGap:
      return room(refresh_gap());
    case tpm::Remedy::CheckTables:
      return look(Way::LookAtTpm);
    case tpm::Remedy::Start:
      return run_.view.code() == tpm::cc::kStartup ? Way::None : look(Way::StartTpm);
    case tpm::Remedy::Wait:
    case tpm::Remedy::None:
      break;
  }
  return Way::None;
}

// Takes one from the budget, if there is one left.
bool CommandRepair::spend(unsigned& budget) {
  if (budget == 0) return false;
  --budget;
  begun_ = true;
  return true;
}

bool CommandRepair::may_lose_more() {
  return spend(losses_left_);
}

std::optional<Operation> CommandRepair::next() {
  if (const auto operation = drop_chosen()) return operation;
  if (const auto operation = forced()) return operation;
  if (gap_) {
    if (const auto operation = gap_->next(run_.plan.pins())) return operation;
    gap_.reset();
  }
  return std::nullopt;
}

bool CommandRepair::free_object() {
  if (!evict_object(run_.state, run_.plan.pins()) || !spend(evictions_left_)) return false;
  ++run_.state.statistics.repairs;
  force_object_ = true;
  return true;
}

bool CommandRepair::free_session() {
  if (!evict_session(run_.state, run_.plan.pins()) || !spend(evictions_left_)) return false;
  ++run_.state.statistics.repairs;
  force_session_ = true;
  return true;
}

bool CommandRepair::drop_session() {
  if (!spend(drops_left_)) return false;
  dropped_ =
      session_to_drop(run_.state.sessions, run_.principal().account, run_.plan.pins().sessions);
  if (dropped_ == nullptr) return false;
  ++run_.state.statistics.repairs;
  return true;
}

bool CommandRepair::refresh_gap() {
  if (!spend(gaps_left_)) return false;
  ++run_.state.statistics.repairs;
  gap_.emplace(run_.state, GapRefresh::Urgency::Now);
  return true;
}

CommandRepair::Way CommandRepair::look(Way way) {
  if (!spend(looks_left_)) return Way::None;
  ++run_.state.statistics.repairs;
  return way;
}

// The TPM had no slot though the tables said that there is one.
void CommandRepair::learn_from_refusal() {
  const bool persistent = std::ranges::any_of(run_.view.handles, [](std::uint32_t handle) {
    return tpm::handle_type(handle) == tpm::HandleType::Persistent;
  });
  const std::size_t present = run_.state.objects_in_tpm();
  if (persistent && !run_.state.facts.persistent_takes_slot) {
    run_.state.facts.persistent_takes_slot = true;
    run_.plan.object_slots += 1;
  } else if (present + run_.plan.object_slots > run_.state.facts.guaranteed_objects) {
    run_.state.facts.shrink_objects(present + run_.plan.object_slots - 1);
  } else if (present == run_.state.facts.guaranteed_objects) {
    run_.state.commands.raise_working_slots(run_.view.code());
  }
}

std::optional<Operation> CommandRepair::forced() {
  if (force_object_) {
    const auto operation = evict_object(run_.state, run_.plan.pins());
    // Saving is the first of two steps.
    force_object_ = operation && operation->verb == Verb::SaveObject;
    if (operation) return operation;
  }
  if (std::exchange(force_session_, false)) return evict_session(run_.state, run_.plan.pins());
  return std::nullopt;
}

std::optional<Operation> CommandRepair::drop_chosen() {
  if (dropped_ == nullptr) return std::nullopt;
  Session& session = *std::exchange(dropped_, nullptr);
  run_.state.observer.session_dropped(session.principal.user, number_of(session.handle),
                                      session.orphan() ? "too many sessions whose client has gone"
                                                       : "its user has more sessions than others");
  return flush(session);
}

}  // namespace tbs::rm
