#include "daemon/rm12/release.h"

#include <vector>

namespace tbs::rm12 {
namespace {

std::vector<Resource*> sessions_of(const State& state, const Resource& key) {
  std::vector<Resource*> bound;
  for (Resource* const resource : state.table.all()) {
    if (resource->key == &key) bound.push_back(resource);
  }
  return bound;
}

void release_sessions(State& state, const Resource& key) {
  for (Resource* const session : sessions_of(state, key)) {
    if (session->saved_by_client()) {
      session->key = nullptr;
    } else {
      release(state, *session);
    }
  }
}

}  // namespace

void release(State& state, Resource& resource) {
  if (resource.is_key()) release_sessions(state, resource);
  if (resource.loaded && !resource.permanent) {
    state.strays.push_back({.kind = resource.kind,
                            .handle = resource.physical,
                            .saved = false,
                            .count = 0,
                            .identity = resource.identity});
  } else if (!resource.is_key() && !resource.loaded && resource.count != 0) {
    state.strays.push_back({.kind = resource.kind,
                            .handle = {},
                            .saved = true,
                            .count = resource.count,
                            .identity = {}});
  }
  state.table.erase(resource);
}

void lose(State& state, Resource& resource, std::uint32_t code) {
  state.observer.lost(resource.principal.user, number_of(resource.handle), code);
  state.table.set_evicted(resource);
  release(state, resource);
}

}  // namespace tbs::rm12
