#include "daemon/rm/state_record.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "proto/tpm/constants.h"

namespace tbs::rm {
namespace {

// Version 2 has the heirs.
constexpr RecordPart kPart{.name = "rm20", .version = 2};

struct OpenContext {
  Principal principal{};
  std::uint32_t first_index = 0;  // of its handles

  template <typename Record>
  void fields(Record& record) {
    record(principal, first_index);
  }
};
using Contexts = std::map<ContextId, OpenContext>;

// All but contexts, objects and sessions.
template <typename Record>
void rest_of(State& state, Record& record) {
  record(static_cast<exec::ManagerState&>(state), state.facts, state.commands, state.capabilities,
         state.stray_objects, state.stray_sessions, state.lockout_due);
}

// Each context's objects, and in which order they were loaded: by their place among all.
void save_objects(const State& state, const Contexts& contexts, RecordWriter& record) {
  const auto loaded = state.objects.loaded();
  std::vector<std::uint32_t> places(loaded.size());
  std::uint32_t place = 0;
  for (const auto& [context, open] : contexts) {
    const auto objects = state.objects.of(context);
    record.count(objects.size());
    for (const Object* const object : objects) {
      record(*object);
      if (object->loaded()) {
        const auto found = std::ranges::find(loaded, object);
        places[static_cast<std::size_t>(found - loaded.begin())] = place;
      }
      ++place;
    }
  }
  record(places);
}

// What the record says of one, and where the TPM has it.
struct Found {
  Object* object;
  std::optional<exec::PhysicalHandle> physical;
};

void load(State& state, std::vector<Found>& all, const std::vector<std::uint32_t>& places,
          RecordReader& record) {
  for (const std::uint32_t place : places) {
    if (place >= all.size() || !all[place].physical) {
      return record.fail("an object is loaded that is not there");
    }
    const exec::PhysicalHandle physical = *std::exchange(all[place].physical, std::nullopt);
    const auto loaded = state.objects.loaded();
    const bool taken = std::ranges::find(loaded, physical, &Object::physical) != loaded.end();
    if (taken || !tpm::is_transient(number_of(physical))) {
      return record.fail("two objects have one place in the TPM");
    }
    state.objects.set_loaded(*all[place].object, physical);
  }
  const bool complete =
      std::ranges::none_of(all, [](const Found& found) { return found.physical.has_value(); });
  record.require(complete, "an object is loaded in no order");
}

void restore_objects(State& state, const Contexts& contexts, RecordReader& record) {
  std::vector<Found> all;
  for (const auto& [context, open] : contexts) {
    for (std::size_t left = record.count(); left != 0 && record.ok(); --left) {
      Object object{.owner = context, .principal = open.principal};
      record(object);
      const auto physical = std::exchange(object.physical, std::nullopt);
      Object* const added = record.ok() ? state.objects.put_back(std::move(object)) : nullptr;
      if (added == nullptr) return record.fail("an object's handle is taken, or is none");
      all.push_back({.object = added, .physical = physical});
    }
  }
  std::vector<std::uint32_t> places;
  record(places);
  if (record.ok()) load(state, all, places, record);
}

void save_sessions(const State& state, RecordWriter& record) {
  record.count(state.sessions.total());
  for (const Session& session : state.sessions.each()) record(session);
  record(state.sessions.numbering());
}

void restore_sessions(State& state, RecordReader& record) {
  for (std::size_t left = record.count(); left != 0 && record.ok(); --left) {
    Session session;
    record(session);
    if (!record.ok()) return;
    const auto owner = session.owner ? state.contexts.find(*session.owner) : state.contexts.end();
    const bool owned = owner != state.contexts.end() && owner->second == session.principal;
    if (session.owner && !owned) return record.fail("a session belongs to no context");
    if (!session.loaded && !session.saved.current()) {
      return record.fail("a session is neither loaded nor saved");
    }
    if (!state.sessions.put_back(session)) {
      return record.fail("a session's handle is taken, or is none");
    }
  }
  SessionTable::Numbering numbering;
  record(numbering);
  state.sessions.set_numbering(numbering);
}

void restore_heirs(State& state, RecordReader& record) {
  record(state.heirs);
  for (const auto& [heir, from] : state.heirs) {
    const bool open = state.contexts.contains(heir) && state.contexts.contains(from);
    record.require(open && heir != from, "objects are inherited from no context, or by none");
  }
}

}  // namespace

void save(const State& state, RecordWriter& record) {
  record.part(kPart);
  rest_of(const_cast<State&>(state), record);
  Contexts contexts;
  for (const auto& [context, principal] : state.contexts) {
    contexts[context] = {.principal = principal, .first_index = state.objects.first_index(context)};
  }
  record(contexts);
  save_objects(state, contexts, record);
  save_sessions(state, record);
  record(state.heirs);
}

void restore(State& state, RecordReader& record) {
  const std::uint16_t version = record.part(kPart);
  rest_of(state, record);
  Contexts contexts;
  record(contexts);
  if (!record.ok()) return;
  for (const auto& [context, open] : contexts) {
    state.contexts.emplace(context, open.principal);
    state.objects.open_context(context, open.principal);
    state.objects.begin_handles(context, open.first_index);
  }
  restore_objects(state, contexts, record);
  if (record.ok()) restore_sessions(state, record);
  if (record.ok() && version >= 2) restore_heirs(state, record);
}

}  // namespace tbs::rm
