// What to do when the TPM refuses a client's command, or a step on the way to it, for a reason that
// the resource manager can do something about. Every kind of repair has a budget, so that no TPM
// can keep a command here for ever; past it the TPM's own answer goes to the client.

#include <algorithm>
#include <utility>

#include "daemon/rm12/client_execution.h"
#include "daemon/rm12/release.h"
#include "daemon/tpm12/response_code.h"

namespace tbs::rm12 {
namespace {

namespace ord = tpm12::ord;
using exec::Step;
using proto::Bytes;
using tpm12::Remedy;

// Takes one from the budget, if there is one left.
bool spend(unsigned& budget) {
  if (budget == 0) return false;
  --budget;
  return true;
}

}  // namespace

bool ClientExecution::authorized() const {
  return view_.auth_count != 0 || (wrapped_ && wrapped_->auth_count != 0);
}

// The client's command was refused; its response is the reply unless it can be sent again.
Step ClientExecution::repair(Bytes response, std::uint32_t code) {
  reply_.assign(response.begin(), response.end());
  phase_ = Phase::After;
  const Remedy remedy = tpm12::remedy_of(code);
  if (remedy == Remedy::Start && view_.ordinal != ord::kStartup) {
    restart();
  } else if (remedy == Remedy::FreeSlot && plan_.creates) {
    state_.facts.slots(*plan_.creates).shrink(state_.in_tpm(*plan_.creates));
    const bool room = free_slot(authorized());
    if (authorized()) look_again(TpmProbe::Reason::Check, room);
  } else if (authorized() || remedy == Remedy::CheckTables) {
    look_again(TpmProbe::Reason::Check,
               remedy == Remedy::CheckTables && !plan_.placements.all().empty());
  }
  return next();
}

// Somebody has reset the TPM. Started, it is looked at, and the command understood anew.
void ClientExecution::restart() {
  if (!look_again(TpmProbe::Reason::Restart, false)) return;
  reply_.clear();
  phase_ = Phase::Check;
}

// Without sessions the same bytes are good once more, as soon as there is room.
bool ClientExecution::free_slot(bool authorized) {
  if (!evict(state_, *plan_.creates, plan_.pins()) || !spend(evictions_left_)) return false;
  ++state_.statistics.repairs;
  force_ = plan_.creates;
  if (!authorized) {
    reply_.clear();
    phase_ = Phase::Prepare;
  }
  return true;
}

// `resume`: the command may be sent again when everything that it needs has survived.
bool ClientExecution::look_again(TpmProbe::Reason reason, bool resume) {
  if (!spend(surveys_left_)) {
    state_.check_due = true;
    return false;
  }
  ++state_.statistics.repairs;
  probe_.emplace(state_, reason);
  resume_ = resume;
  return true;
}

bool ClientExecution::drop_session() {
  if (!spend(drops_left_)) return false;
  Resource* const dropped = session_to_drop(state_, plan_.pins());
  if (dropped == nullptr) return false;
  ++state_.statistics.repairs;
  state_.observer.session_dropped(dropped->user, dropped->handle,
                                  "the TPM's list of saved sessions is full");
  release(state_, *dropped);
  return true;
}

std::optional<Operation> ClientExecution::forced() {
  // A dropped session leaves the list of saved ones by that.
  const auto saved = std::ranges::find_if(state_.strays, &Stray::saved);
  if (saved != state_.strays.end()) return flush(*saved);
  if (!force_) return std::nullopt;
  const auto operation = evict(state_, *force_, plan_.pins());
  // Saving a key, or the sessions of one, is a step on the way.
  const bool last = !operation || operation->verb == Verb::Flush ||
                    operation->verb == Verb::FlushStray ||
                    (operation->resource->kind == *force_ && *force_ != Kind::Key);
  if (last) force_.reset();
  return operation;
}

Step ClientExecution::failed(const Operation& operation, Bytes response, std::uint32_t code) {
  const bool settled = apply_failure(state_, operation, code);
  if (phase_ == Phase::Undo) return next();
  if (settled) {
    // Understood anew: a handle of the command may have lost what it stood for.
    if (spend(losses_left_)) {
      phase_ = Phase::Decide;
      return next();
    }
  } else {
    switch (tpm12::remedy_of(code)) {
      case Remedy::FreeSlot:
        if (operation.verb == Verb::Load && spend(evictions_left_) &&
            evict(state_, operation.resource->kind, plan_.pins())) {
          const Kind kind = operation.resource->kind;
          state_.facts.slots(kind).shrink(state_.in_tpm(kind));
          force_ = kind;
          return next();
        }
        break;
      case Remedy::DropSession:
      case Remedy::RenewOldest:
        if (drop_session()) return next();
        break;
      case Remedy::Start:
        restart();
        if (phase_ == Phase::Check) return next();
        break;
      default:
        break;
    }
  }
  // That something else cannot be moved out tells the client only that there is no room.
  if (operation.verb == Verb::Load) {
    reply_.assign(response.begin(), response.end());
  } else {
    refuse_run(tpm12::rc::kResources);
  }
  phase_ = Phase::Undo;
  return next();
}

}  // namespace tbs::rm12
