#include "daemon/rm/inheritance.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tbs::rm {
namespace {

bool has_room(const State& state, ContextId context, AccountId account) {
  const exec::Limits& limits = state.options.limits_of(account);
  return state.objects.count(context) < limits.objects_per_context &&
         state.objects.count(account) < limits.objects_per_user;
}

void copy(State& state, const Object& object, ContextId heir, const Principal& principal) {
  Object copied = object;
  copied.owner = heir;
  copied.principal = principal;
  copied.physical.reset();
  copied.sticky = false;
  copied.last_used = state.next_use();
  state.objects.put_back(std::move(copied));
}

// What `heir` has not got yet of what can be copied, in the order of handles.
std::vector<Object*> left_for(const State& state, ContextId heir, ContextId from) {
  std::vector<Object*> left = state.objects.of(from);
  std::erase_if(left, [&](const Object* object) {
    return object->sequence || object->lost() ||
           state.objects.find(heir, object->virtual_handle) != nullptr;
  });
  return left;
}

// The first object that must be saved to be copied, or null: there is nothing left to copy.
Object* copy_saved(State& state, ContextId heir, ContextId from) {
  const Principal principal = state.contexts.at(heir);
  for (Object* const object : left_for(state, heir, from)) {
    if (!has_room(state, heir, principal.account)) return nullptr;
    if (object->must_be_saved()) return object;
    copy(state, *object, heir, principal);
  }
  return nullptr;
}

}  // namespace

void note_heir(State& state, ContextId heir, ContextId from) {
  // The heir of one that has nothing yet itself.
  if (const auto earlier = state.heirs.find(from); earlier != state.heirs.end()) {
    from = earlier->second;
  }
  if (heir == from || !state.contexts.contains(heir) || !state.contexts.contains(from)) return;
  if (state.objects.count(heir) != 0) return;
  state.objects.begin_handles(heir, state.objects.first_index(from));
  state.heirs[heir] = from;
}

std::optional<Operation> next_of_inheritance(State& state, ContextId heir) {
  const auto found = state.heirs.find(heir);
  if (found == state.heirs.end()) return std::nullopt;
  if (Object* const object = copy_saved(state, heir, found->second)) return save(*object);
  state.heirs.erase(found);
  return std::nullopt;
}

void settle_inheritance(State& state, ContextId heir) {
  const auto found = state.heirs.find(heir);
  if (found == state.heirs.end()) return;
  const Principal principal = state.contexts.at(heir);
  for (const Object* const object : left_for(state, heir, found->second)) {
    if (object->must_be_saved()) continue;
    if (!has_room(state, heir, principal.account)) break;
    copy(state, *object, heir, principal);
  }
  state.heirs.erase(found);
}

void end_inheritance(State& state, ContextId context) {
  state.heirs.erase(context);
  std::vector<ContextId> heirs;
  for (const auto& [heir, from] : state.heirs) {
    if (from == context) heirs.push_back(heir);
  }
  for (const ContextId heir : heirs) settle_inheritance(state, heir);
}

}  // namespace tbs::rm
