#include "daemon/rm/sticky.h"

#include "daemon/rm/plan.h"
#include "proto/tpm/constants.h"

namespace tbs::rm {
namespace {

using proto::Status;

// A parent and what is loaded below it; a key and a second session. Commands that need more are
// rare.
constexpr std::size_t kSlotsForOthers = 2;

template <typename Table, typename Item>
Status mark(Table& table, Item* item, bool sticky, std::size_t slots) {
  if (item == nullptr) return Status::BadParameter;
  if (sticky && !item->sticky && table.sticky_count() + kSlotsForOthers >= slots) {
    return Status::TooManyResources;
  }
  table.set_sticky(*item, sticky);
  return Status::Success;
}

}  // namespace

Status make_sticky(State& state, ContextId context, std::uint32_t handle, bool sticky) {
  if (tpm::is_transient(handle)) {
    return mark(state.objects, state.objects.find(context, exec::VirtualHandle{handle}), sticky,
                state.facts.object_slots);
  }
  if (!tpm::is_session(handle)) return Status::BadParameter;
  return mark(state.sessions, usable_session(state, context, exec::PhysicalHandle{handle}), sticky,
              state.facts.session_slots);
}

}  // namespace tbs::rm
