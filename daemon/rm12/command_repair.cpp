#include "daemon/rm12/command_repair.h"

#include <algorithm>

#include "daemon/rm12/release.h"
#include "daemon/tpm12/response_code.h"

namespace tbs::rm12 {
namespace {

using tpm12::Remedy;
using Way = CommandRepair::Way;

}  // namespace

Way CommandRepair::repair_command(std::uint32_t code) {
  const Remedy remedy = tpm12::remedy_of(code);
  if (remedy == Remedy::Start && run_.view.ordinal != tpm12::ord::kStartup) {
    return look(Way::StartTpm);
  }
  if (remedy == Remedy::FreeSlot && run_.plan.creates) {
    const bool room = free_slot();
    if (run_.authorized()) return look(room ? Way::LookAndRepeat : Way::LookAtTpm);
    // Without sessions the same bytes are good once more, as soon as there is room.
    return room ? Way::MakeRoom : Way::None;
  }
  if (!run_.authorized() && remedy != Remedy::CheckTables) return Way::None;
  const bool repeat = remedy == Remedy::CheckTables && !run_.plan.placements.all().empty();
  return look(repeat ? Way::LookAndRepeat : Way::LookAtTpm);
}

Way CommandRepair::repair_step(const Operation& operation, std::uint32_t code) {
  switch (tpm12::remedy_of(code)) {
    case Remedy::FreeSlot:
      return free_slot_for(operation) ? Way::MakeRoom : Way::None;
    case Remedy::DropSession:
    case Remedy::RenewOldest:
      return drop_session() ? Way::MakeRoom : Way::None;
    case Remedy::Start:
      return look(Way::StartTpm);
    default:
      return Way::None;
  }
}

Way CommandRepair::look(Way way) {
  if (!spend(looks_left_)) {
    run_.state.check_due = true;
    return Way::None;
  }
  ++run_.state.statistics.repairs;
  return way;
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

// For what the client's command makes.
bool CommandRepair::free_slot() {
  const Kind kind = *run_.plan.creates;
  run_.state.facts.slots(kind).shrink(run_.state.in_tpm(kind));
  if (!evict(run_.state, kind, run_.plan.pins()) || !spend(evictions_left_)) return false;
  ++run_.state.statistics.repairs;
  force_ = kind;
  return true;
}

// For what this operation loads.
bool CommandRepair::free_slot_for(const Operation& operation) {
  if (operation.verb != Verb::Load || !spend(evictions_left_)) return false;
  const Kind kind = operation.resource->kind;
  if (!evict(run_.state, kind, run_.plan.pins())) return false;
  run_.state.facts.slots(kind).shrink(run_.state.in_tpm(kind));
  force_ = kind;
  return true;
}

bool CommandRepair::drop_session() {
  if (!spend(drops_left_)) return false;
  Resource* const dropped = session_to_drop(run_.state, run_.plan.pins());
  if (dropped == nullptr) return false;
  ++run_.state.statistics.repairs;
  run_.state.observer.session_dropped(dropped->principal.user, number_of(dropped->handle),
                                      "the TPM's list of saved sessions is full");
  release(run_.state, *dropped);
  return true;
}

std::optional<Operation> CommandRepair::next() {
  // A dropped session leaves the list of saved ones by that.
  const auto saved = std::ranges::find_if(run_.state.strays, &Stray::saved);
  if (saved != run_.state.strays.end()) return flush(*saved);
  if (!force_) return std::nullopt;
  const auto operation = evict(run_.state, *force_, run_.plan.pins());
  // Saving a key, or the sessions of one, is a step on the way.
  const bool last = !operation || operation->verb == Verb::Flush ||
                    operation->verb == Verb::FlushStray ||
                    (operation->resource->kind == *force_ && *force_ != Kind::Key);
  if (last) force_.reset();
  return operation;
}

}  // namespace tbs::rm12
