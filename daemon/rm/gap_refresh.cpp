#include "daemon/rm/gap_refresh.h"

#include <algorithm>
#include <utility>

#include "daemon/rm/context_gap.h"

namespace tbs::rm {
namespace {

// Of one go: a client waits for it. Once the gap is used up, all that are due have to be done,
// because each save brings the counter up against the next oldest.
constexpr unsigned kMostAtOnce = 8;

}  // namespace

GapRefresh::GapRefresh(State& state, Urgency urgency)
    : state_(state),
      most_(urgency == Urgency::Now ? static_cast<unsigned>(state.sessions.total()) : kMostAtOnce),
      asked_for_(urgency == Urgency::Now),
      urgent_(asked_for_) {}

bool GapRefresh::due(State& state) {
  return state.refreshes_left != 0 &&
         due_for_refresh(state.sessions, state.facts.context_gap) != nullptr;
}

bool GapRefresh::may_refresh() const {
  return asked_for_ || state_.refreshes_left != 0;
}

Session* GapRefresh::candidate() {
  if (urgent_) return oldest_saved(state_.sessions);
  return due_for_refresh(state_.sessions, state_.facts.context_gap);
}

std::optional<Operation> GapRefresh::next(const Pins& pins) {
  if (current_) {
    Session* const loaded = state_.sessions.find(*std::exchange(current_, std::nullopt));
    const bool needed = std::ranges::find(pins.sessions, loaded) != pins.sessions.end();
    if (loaded != nullptr && loaded->loaded && !needed) return save(*loaded);
  }
  if (refreshed_ >= most_ || !may_refresh()) return std::nullopt;
  Session* const session = candidate();
  if (session == nullptr) return std::nullopt;
  // With the gap used up the TPM saves nothing, so evicting cannot help then.
  if (!urgent_) {
    if (const auto room = make_session_room(state_, pins, 1)) return room;
  }
  if (!asked_for_) --state_.refreshes_left;
  urgent_ = false;
  ++refreshed_;
  ++state_.statistics.gap_refreshes;
  current_ = session->handle;
  return load(*session);
}

}  // namespace tbs::rm
