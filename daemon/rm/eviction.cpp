#include "daemon/rm/eviction.h"

#include <algorithm>

namespace tbs::rm {
namespace {

template <typename Item>
bool contains(std::span<Item* const> pins, const Item* item) {
  return std::ranges::find(pins, item) != pins.end();
}

template <typename Item>
bool goes_before(const Item& item, const Item& other) {
  if (item.sticky != other.sticky) return other.sticky;
  return item.last_used < other.last_used;
}

}  // namespace

std::optional<Operation> evict_object(const State& state, const Pins& pins) {
  if (!state.stray_objects.empty()) return flush_stray(state.stray_objects.front());
  Object* victim = nullptr;
  for (Object* const object : state.objects.loaded()) {
    if (contains(pins.objects, object)) continue;
    if (victim == nullptr || goes_before(*object, *victim)) victim = object;
  }
  if (victim == nullptr) return std::nullopt;
  return victim->must_be_saved() ? save(*victim) : flush(*victim);
}

std::optional<Operation> evict_session(State& state, const Pins& pins) {
  if (!state.stray_sessions.empty()) return flush_stray(state.stray_sessions.front());
  Session* victim = nullptr;
  for (Session& session : state.sessions.each()) {
    if (!session.loaded || contains<Session>(pins.sessions, &session)) continue;
    if (victim == nullptr || goes_before(session, *victim)) victim = &session;
  }
  if (victim == nullptr) return std::nullopt;
  return save(*victim);
}

std::optional<Operation> make_object_room(const State& state, const Pins& pins,
                                          std::size_t wanted) {
  if (state.objects_in_tpm() + wanted <= state.facts.object_slots) return std::nullopt;
  return evict_object(state, pins);
}

std::optional<Operation> make_session_room(State& state, const Pins& pins, std::size_t wanted) {
  // Strays may be saved rather than loaded; they are flushed when room is needed, either way.
  const std::size_t present = state.sessions.loaded_count() + state.stray_sessions.size();
  if (present + wanted <= state.facts.session_slots) return std::nullopt;
  return evict_session(state, pins);
}

}  // namespace tbs::rm
