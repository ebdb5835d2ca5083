#include "daemon/rm12/reconcile.h"

#include <algorithm>
#include <set>

#include "daemon/rm12/release.h"

namespace tbs::rm12 {
namespace {

constexpr Kind kKinds[] = {Kind::Key, Kind::Auth, Kind::Transport, Kind::Daa};

template <typename List>
bool lists(const List& list, const typename List::value_type::value_type& entry) {
  return !list || std::ranges::find(*list, entry) != list->end();
}

bool missing(const Resource& resource, const HandleLists& found) {
  if (resource.loaded) return !lists(found.of(resource.kind), resource.physical);
  return !resource.is_key() && resource.count != 0 && !lists(found.saved_sessions, resource.count);
}

// Gives up one resource that nothing can bring back; false when there is none. One at a time,
// because giving up a key takes its sessions along.
bool drop_one_lost(State& state, Losses& losses) {
  for (Resource* const resource : state.table.all()) {
    if (!resource->lost()) continue;
    ++(resource->is_key() ? losses.keys : losses.sessions);
    release(state, *resource);
    return true;
  }
  return false;
}

Losses drop_lost(State& state) {
  Losses losses;
  while (drop_one_lost(state, losses)) {
  }
  return losses;
}

bool known(const State& state, const Stray& found) {
  if (std::ranges::any_of(state.strays, [&found](const Stray& stray) {
        if (stray.saved != found.saved) return false;
        if (found.saved) return stray.count == found.count;
        return stray.kind == found.kind && stray.handle == found.handle;
      })) {
    return true;
  }
  return std::ranges::any_of(state.table.all(), [&found](const Resource* resource) {
    if (found.saved) return !resource->is_key() && resource->count == found.count;
    return resource->kind == found.kind && resource->loaded && resource->physical == found.handle;
  });
}

void add_stray(State& state, const Stray& stray) {
  const auto& permanent = state.table.permanent_keys;
  const bool stays = stray.kind == Kind::Key && !stray.saved &&
                     std::ranges::find(permanent, stray.handle) != permanent.end();
  if (!stays && !known(state, stray)) state.strays.push_back(stray);
}

std::string name(Kind kind) {
  switch (kind) {
    case Kind::Key:
      return "keys";
    case Kind::Auth:
      return "authorization sessions";
    case Kind::Transport:
      return "transport sessions";
    case Kind::Daa:
      break;
  }
  return "DAA sessions";
}

using Handles = std::set<exec::PhysicalHandle>;

Handles expected(const State& state, Kind kind) {
  Handles handles;
  for (const Resource* const resource : state.table.all()) {
    if (resource->kind == kind && resource->loaded) handles.insert(resource->physical);
  }
  for (const Stray& stray : state.strays) {
    if (stray.kind == kind && !stray.saved) handles.insert(stray.handle);
  }
  if (kind == Kind::Key) {
    handles.insert(state.table.permanent_keys.begin(), state.table.permanent_keys.end());
  }
  return handles;
}

// Flushing a key ends its sessions before they are flushed themselves.
bool all_gone_are_strays(const State& state, Kind kind, const Handles& handles,
                         const Handles& present) {
  return std::ranges::all_of(handles, [&](exec::PhysicalHandle handle) {
    return present.contains(handle) || std::ranges::any_of(state.strays, [&](const Stray& stray) {
             return stray.kind == kind && !stray.saved && stray.handle == handle;
           });
  });
}

}  // namespace

HandleLists::List& HandleLists::of(Kind kind) {
  switch (kind) {
    case Kind::Key:
      return keys;
    case Kind::Auth:
      return auths;
    case Kind::Transport:
      return transports;
    case Kind::Daa:
      break;
  }
  return daas;
}

const HandleLists::List& HandleLists::of(Kind kind) const {
  return const_cast<HandleLists*>(this)->of(kind);
}

Losses drop_missing(State& state, const HandleLists& found) {
  for (Resource* const resource : state.table.all()) {
    if (!missing(*resource, found)) continue;
    if (!resource->loaded) {
      resource->saved.clear();
      resource->count = 0;
    }
    state.table.set_evicted(*resource);
    resource->permanent = false;
  }
  std::erase_if(state.table.permanent_keys,
                [&found](exec::PhysicalHandle handle) { return !lists(found.keys, handle); });
  std::erase_if(state.strays, [&found](const Stray& stray) {
    return stray.saved ? !lists(found.saved_sessions, stray.count)
                       : !lists(found.of(stray.kind), stray.handle);
  });
  return drop_lost(state);
}

void find_strays(State& state, const HandleLists& found, bool saved) {
  for (const Kind kind : kKinds) {
    if (const auto& list = found.of(kind)) {
      for (const exec::PhysicalHandle handle : *list) {
        add_stray(state,
                  {.kind = kind, .handle = handle, .saved = false, .count = 0, .identity = {}});
      }
    }
  }
  if (!saved || !found.saved_sessions) return;
  for (const std::uint32_t count : *found.saved_sessions) {
    add_stray(state,
              {.kind = Kind::Auth, .handle = {}, .saved = true, .count = count, .identity = {}});
  }
}

Losses drop_loaded(State& state) {
  for (Resource* const resource : state.table.all()) {
    if (resource->loaded && !resource->permanent) state.table.set_evicted(*resource);
  }
  std::erase_if(state.strays, [](const Stray& stray) { return !stray.saved; });
  return drop_lost(state);
}

std::string difference(const State& state, const HandleLists& found) {
  for (const Kind kind : kKinds) {
    const auto& list = found.of(kind);
    if (!list) continue;
    const Handles present(list->begin(), list->end());
    const auto believed = expected(state, kind);
    if (!std::ranges::includes(believed, present)) return "the TPM has more " + name(kind);
    if (!all_gone_are_strays(state, kind, believed, present)) {
      return "the TPM has fewer " + name(kind);
    }
  }
  if (!found.saved_sessions) return {};
  for (const Resource* const resource : state.table.all()) {
    if (!resource->loaded && resource->count != 0 &&
        !lists(found.saved_sessions, resource->count)) {
      return "the TPM does not know a saved session";
    }
  }
  return {};
}

}  // namespace tbs::rm12
