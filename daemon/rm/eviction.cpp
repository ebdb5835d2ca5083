#include "daemon/rm/eviction.h"

#include <algorithm>
#include <limits>

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

// With Share::Strict nothing is loaded before a command, and its own may take every slot.
std::size_t usable(const State& state, std::size_t slots, std::size_t Kept::* kept) {
  if (state.options.share != exec::Share::Spare) return slots;
  return std::min(slots, kept_after_command(state).*kept);
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

Kept kept_after_command(const State& state) {
  const auto all_but = [](std::size_t slots, std::size_t spare) {
    return slots - std::min(slots, spare);
  };
  switch (state.options.share) {
    case exec::Share::Strict:
      return {.objects = 0, .sessions = 0};
    case exec::Share::Spare:
      return {.objects = all_but(state.facts.object_slots, exec::kSpareObjects),
              .sessions = all_but(state.facts.session_slots, exec::kSpareSessions)};
    case exec::Share::Idle:
    case exec::Share::Exclusive:
      break;
  }
  return {.objects = std::numeric_limits<std::size_t>::max(),
          .sessions = std::numeric_limits<std::size_t>::max()};
}

std::optional<Operation> make_object_room(const State& state, const Pins& pins,
                                          std::size_t wanted) {
  const std::size_t slots = usable(state, state.facts.object_slots, &Kept::objects);
  if (state.objects_in_tpm() + wanted <= slots) return std::nullopt;
  return evict_object(state, pins);
}

std::optional<Operation> make_session_room(State& state, const Pins& pins, std::size_t wanted) {
  // Strays may be saved rather than loaded; they are flushed when room is needed, either way.
  const std::size_t present = state.sessions.loaded_count() + state.stray_sessions.size();
  const std::size_t slots = usable(state, state.facts.session_slots, &Kept::sessions);
  if (present + wanted <= slots) return std::nullopt;
  return evict_session(state, pins);
}

}  // namespace tbs::rm
