#include "daemon/rm12/state_record.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace tbs::rm12 {
namespace {

constexpr RecordPart kPart{.name = "rm12", .version = 1};

using Contexts = std::map<ContextId, ResourceTable::OpenContext>;

// All but contexts and resources.
template <typename Record>
void rest_of(State& state, Record& record) {
  record(static_cast<exec::ManagerState&>(state), state.facts, state.table.permanent_keys,
         state.saved_keys, state.strays, state.newest_count);
}

// In the order of the table: a key by its place there, from 1.
void save_resources(const ResourceTable& table, RecordWriter& record) {
  const auto all = table.all();
  record.count(all.size());
  for (const Resource* const resource : all) {
    std::uint32_t key = 0;
    if (resource->key != nullptr) {
      key = static_cast<std::uint32_t>(std::ranges::find(all, resource->key) - all.begin()) + 1;
    }
    record(resource->owner, *resource, key);
  }
}

void restore_resources(State& state, const Contexts& contexts, RecordReader& record) {
  std::vector<std::uint32_t> keys;
  for (std::size_t left = record.count(); left != 0 && record.ok(); --left) {
    Resource resource;
    record(resource.owner, resource, keys.emplace_back());
    if (!record.ok()) return;
    const auto owner = contexts.find(resource.owner);
    if (owner == contexts.end()) return record.fail("a resource belongs to no context");
    resource.principal = owner->second.principal;
    if (state.table.put_back(std::move(resource)) == nullptr) {
      return record.fail("two resources have one handle");
    }
  }
  const auto all = state.table.all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (keys[i] == 0) continue;
    const bool fits = keys[i] <= all.size() && all[keys[i] - 1]->is_key() && all[i]->needs_key;
    if (!fits) return record.fail("a session's key is none");
    all[i]->key = all[keys[i] - 1];
  }
}

}  // namespace

void save(const State& state, RecordWriter& record) {
  record.part(kPart);
  rest_of(const_cast<State&>(state), record);
  record(state.table.contexts());
  save_resources(state.table, record);
}

void restore(State& state, RecordReader& record) {
  record.part(kPart);
  rest_of(state, record);
  Contexts contexts;
  record(contexts);
  if (!record.ok()) return;
  for (const auto& [context, open] : contexts) {
    state.table.open_context(context, open.principal);
    state.table.begin_handles(context, open.first_index);
  }
  restore_resources(state, contexts, record);
}

}  // namespace tbs::rm12
