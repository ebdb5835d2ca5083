#include "daemon/rm/reconcile.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "proto/tpm/constants.h"

namespace tbs::rm {
namespace {

bool contains(const std::vector<exec::PhysicalHandle>& handles, exec::PhysicalHandle handle) {
  return std::ranges::find(handles, handle) != handles.end();
}

bool contains_index(const std::vector<exec::PhysicalHandle>& handles, exec::PhysicalHandle handle) {
  return std::ranges::any_of(handles, [handle](exec::PhysicalHandle other) {
    return tpm::handle_index(number_of(other)) == tpm::handle_index(number_of(handle));
  });
}

void add_once(std::vector<exec::PhysicalHandle>& handles, exec::PhysicalHandle handle) {
  if (!contains(handles, handle)) handles.push_back(handle);
}

void drop_session(State& state, Session& session, Losses& losses) {
  ++losses.sessions;
  state.sessions.erase(session);
}

// Loaded according to the tables only.
Losses reconcile_objects(State& state, const HandleLists& lists, Missing missing) {
  Losses losses;
  const std::vector<Object*> believed(state.objects.loaded().begin(), state.objects.loaded().end());
  for (Object* const object : believed) {
    if (contains(lists.objects, *object->physical)) continue;
    state.objects.set_evicted(*object);
    if (missing == Missing::Reload && object->saved.current()) continue;
    ++losses.objects;
    state.objects.erase(*object);
  }
  return losses;
}

bool agrees(const Session& session, const HandleLists& lists) {
  return contains_index(session.loaded ? lists.loaded_sessions : lists.saved_sessions,
                        session.handle);
}

Losses reconcile_sessions(State& state, const HandleLists& lists) {
  Losses losses;
  for (Session* const session : state.sessions.all()) {
    if (agrees(*session, lists)) continue;
    // Loaded by a step whose answer did not come.
    if (!session->loaded && contains_index(lists.loaded_sessions, session->handle)) {
      state.sessions.set_loaded(*session);
      continue;
    }
    const exec::PhysicalHandle handle = session->handle;
    drop_session(state, *session, losses);
    // It is there, but in a state from which there is no way on.
    if (contains_index(lists.loaded_sessions, handle) ||
        contains_index(lists.saved_sessions, handle)) {
      add_once(state.stray_sessions, handle);
    }
  }
  return losses;
}

void find_strays(State& state, const HandleLists& lists) {
  std::erase_if(state.stray_objects,
                [&lists](exec::PhysicalHandle handle) { return !contains(lists.objects, handle); });
  std::erase_if(state.stray_sessions, [&lists](exec::PhysicalHandle handle) {
    return !contains_index(lists.loaded_sessions, handle) &&
           !contains_index(lists.saved_sessions, handle);
  });
  for (const exec::PhysicalHandle handle : lists.objects) {
    const auto loaded = state.objects.loaded();
    if (std::ranges::find(loaded, handle, &Object::physical) == loaded.end()) {
      add_once(state.stray_objects, handle);
    }
  }
  for (const exec::PhysicalHandle handle : lists.loaded_sessions) {
    if (state.sessions.find(handle) == nullptr && !contains_index(state.stray_sessions, handle)) {
      state.stray_sessions.push_back(handle);
    }
  }
}

std::string line(const char* what, exec::PhysicalHandle handle) {
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%s 0x%08x; ", what, number_of(handle));
  return text.data();
}

std::string session_difference(State& state, const HandleLists& lists) {
  std::string found;
  for (const Session& session : state.sessions.each()) {
    if (!agrees(session, lists)) {
      found += line(session.loaded ? "session not loaded" : "session not saved", session.handle);
    }
  }
  for (const auto* const list : {&lists.loaded_sessions, &lists.saved_sessions}) {
    for (const exec::PhysicalHandle handle : *list) {
      if (state.sessions.find(handle) != nullptr) continue;
      if (!contains_index(state.stray_sessions, handle)) found += line("unknown session", handle);
    }
  }
  return found;
}

}  // namespace

Losses drop_everything(State& state) {
  Losses losses;
  for (Object* const object : state.objects.all()) {
    ++losses.objects;
    state.objects.erase(*object);
  }
  for (Session* const session : state.sessions.all()) drop_session(state, *session, losses);
  state.stray_objects.clear();
  state.stray_sessions.clear();
  state.sessions.forget_sequences();
  return losses;
}

Losses drop_loaded(State& state) {
  Losses losses;
  const std::vector<Object*> loaded(state.objects.loaded().begin(), state.objects.loaded().end());
  for (Object* const object : loaded) {
    state.objects.set_evicted(*object);
    if (object->saved.current()) continue;
    ++losses.objects;
    state.objects.erase(*object);
  }
  for (Session* const session : state.sessions.all()) {
    if (!session->loaded) continue;
    add_once(state.stray_sessions, session->handle);
    drop_session(state, *session, losses);
  }
  state.stray_objects.clear();
  return losses;
}

Losses reconcile(State& state, const HandleLists& lists, Missing missing) {
  Losses losses = reconcile_objects(state, lists, missing);
  losses.sessions = reconcile_sessions(state, lists).sessions;
  find_strays(state, lists);
  return losses;
}

void adopt_unknown_saved_sessions(State& state, const HandleLists& lists) {
  for (const exec::PhysicalHandle handle : lists.saved_sessions) {
    if (state.sessions.find(handle) == nullptr) add_once(state.stray_sessions, handle);
  }
}

void drop_hierarchy(State& state, std::uint32_t hierarchy) {
  for (Object* const object : state.objects.all()) {
    if (!object->loaded() && object->hierarchy == hierarchy) state.objects.erase(*object);
  }
}

std::string difference(State& state, const HandleLists& lists) {
  std::string found;
  for (const Object* const object : state.objects.loaded()) {
    if (!contains(lists.objects, *object->physical)) {
      found += line("object not loaded", *object->physical);
    }
  }
  for (const exec::PhysicalHandle handle : lists.objects) {
    const auto loaded = state.objects.loaded();
    if (std::ranges::find(loaded, handle, &Object::physical) == loaded.end() &&
        !contains(state.stray_objects, handle)) {
      found += line("unknown object", handle);
    }
  }
  return found + session_difference(state, lists);
}

}  // namespace tbs::rm
