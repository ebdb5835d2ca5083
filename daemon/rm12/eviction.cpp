#include "daemon/rm12/eviction.h"

#include <algorithm>
#include <map>

namespace tbs::rm12 {
namespace {

bool pinned(Pins pins, const Resource* resource) {
  return std::ranges::find(pins, resource) != pins.end();
}

bool endangered_by(const Resource& session, tpm12::KeyIdentity identity) {
  return session.loaded && session.needs_key && tpm12::may_be_same(session.identity, identity);
}

// A loaded session that flushing a key of this identity would end.
Resource* endangered_session(const State& state, tpm12::KeyIdentity identity) {
  for (Resource* const resource : state.table.all()) {
    if (endangered_by(*resource, identity)) return resource;
  }
  return nullptr;
}

Resource* victim_of(const State& state, Kind kind, Pins pins) {
  Resource* victim = nullptr;
  for (Resource* const resource : state.table.all()) {
    if (resource->kind != kind || !resource->evictable() || pinned(pins, resource)) continue;
    if (victim == nullptr || resource->last_used < victim->last_used) victim = resource;
  }
  return victim;
}

Operation evict_key(State& state, Resource& key) {
  if (!key.saved.current()) return save(key);
  if (Resource* const session = endangered_session(state, key.identity)) return save(*session);
  return flush(key);
}

}  // namespace

Operation clear(State& state, const Stray& stray) {
  if (stray.kind == Kind::Key && !stray.saved) {
    if (Resource* const session = endangered_session(state, stray.identity)) return save(*session);
  }
  return flush(stray);
}

std::optional<Operation> evict(State& state, Kind kind, Pins pins) {
  const auto stray = std::ranges::find_if(
      state.strays, [kind](const Stray& s) { return s.kind == kind && !s.saved; });
  if (stray != state.strays.end()) return clear(state, *stray);
  Resource* const victim = victim_of(state, kind, pins);
  if (victim == nullptr) return std::nullopt;
  return kind == Kind::Key ? evict_key(state, *victim) : save(*victim);
}

std::optional<Operation> make_room(State& state, Kind kind, Pins pins, std::size_t wanted) {
  if (state.in_tpm(kind) + wanted <= state.facts.slots(kind).known) return std::nullopt;
  return evict(state, kind, pins);
}

Resource* session_to_drop(const State& state, Pins pins) {
  std::map<AccountId, std::size_t> counts;
  for (const Resource* const resource : state.table.all()) {
    if (!resource->is_key()) ++counts[resource->principal.account];
  }
  Resource* dropped = nullptr;
  for (Resource* const resource : state.table.all()) {
    if (resource->is_key() || resource->loaded || pinned(pins, resource)) continue;
    if (dropped == nullptr ||
        counts[resource->principal.account] > counts[dropped->principal.account] ||
        (counts[resource->principal.account] == counts[dropped->principal.account] &&
         resource->last_used < dropped->last_used)) {
      dropped = resource;
    }
  }
  return dropped;
}

Resource* session_to_renew(const State& state) {
  Resource* oldest = nullptr;
  for (Resource* const resource : state.table.all()) {
    const bool renewable = !resource->is_key() && !resource->loaded && resource->count != 0 &&
                           !resource->old_style &&
                           (!resource->needs_key || resource->key != nullptr);
    if (!renewable) continue;
    const std::uint32_t age = state.newest_count - resource->count;
    if (age < state.facts.context_distance / 2) continue;
    if (oldest == nullptr || resource->count < oldest->count) oldest = resource;
  }
  return oldest;
}

}  // namespace tbs::rm12
