#include "daemon/rm12/resource_table.h"

#include <algorithm>

namespace tbs::rm12 {

using exec::PhysicalHandle;
using exec::VirtualHandle;

void ResourceTable::open_context(ContextId context, const Principal& principal) {
  contexts_[context].principal = principal;
}

void ResourceTable::skip_handles(ContextId context, std::uint32_t earlier) {
  begin_handles(context, exec::first_handle_index(earlier));
}

void ResourceTable::begin_handles(ContextId context, std::uint32_t first) {
  const auto entry = contexts_.find(context);
  if (entry != contexts_.end()) entry->second.first_index = first;
}

void ResourceTable::close_context(ContextId context) {
  contexts_.erase(context);
}

Resource& ResourceTable::add(ContextId context, Kind kind, PhysicalHandle physical,
                             std::optional<VirtualHandle> wanted) {
  displace(kind, physical);
  ContextResources& context_entry = contexts_.at(context);
  auto resource = std::make_unique<Resource>(
      Resource{.kind = kind, .owner = context, .principal = context_entry.principal});
  resource->handle = wanted.value_or(free_handle(context_entry, kind));
  resource->physical = physical;
  Resource& added = *resource;
  context_entry.resources[{kind, added.handle}] = std::move(resource);
  all_.push_back(&added);
  count_in(added);
  return added;
}

Resource* ResourceTable::put_back(Resource resource) {
  const auto context_entry = contexts_.find(resource.owner);
  if (context_entry == contexts_.end()) return nullptr;
  const bool displaces = std::ranges::any_of(all_, [&resource](const Resource* other) {
    return resource.loaded && other->loaded && other->kind == resource.kind &&
           other->physical == resource.physical;
  });
  if (displaces) return nullptr;
  const Name name{resource.kind, resource.handle};
  const auto [entry, added] = context_entry->second.resources.try_emplace(name);
  if (!added) return nullptr;
  entry->second = std::make_unique<Resource>(std::move(resource));
  all_.push_back(entry->second.get());
  count_in(*entry->second);
  return entry->second.get();
}

std::map<ContextId, ResourceTable::OpenContext> ResourceTable::contexts() const {
  std::map<ContextId, OpenContext> open;
  for (const auto& [context, entry] : contexts_) {
    open[context] = {.principal = entry.principal, .first_index = entry.first_index};
  }
  return open;
}

VirtualHandle ResourceTable::free_handle(const ContextResources& context_entry, Kind kind) const {
  const auto taken = [&](VirtualHandle handle) {
    return context_entry.resources.contains({kind, handle}) ||
           (kind == Kind::Key &&
            std::ranges::find(permanent_keys, handle, as_seen_by_client) != permanent_keys.end());
  };
  std::uint32_t number = (static_cast<std::uint32_t>(kind) << 24) + context_entry.first_index;
  while (taken(VirtualHandle{number})) ++number;
  return VirtualHandle{number};
}

void ResourceTable::erase(Resource& resource) {
  std::erase(all_, &resource);
  count_out(resource);
  contexts_.at(resource.owner).resources.erase({resource.kind, resource.handle});
}

Resource* ResourceTable::find(ContextId context, Kind kind, VirtualHandle handle) const {
  const auto context_entry = contexts_.find(context);
  if (context_entry == contexts_.end()) return nullptr;
  const auto found = context_entry->second.resources.find({kind, handle});
  return found == context_entry->second.resources.end() ? nullptr : found->second.get();
}

Resource& ResourceTable::move(Resource& resource, ContextId context,
                              std::optional<VirtualHandle> wanted) {
  auto node = contexts_.at(resource.owner).resources.extract({resource.kind, resource.handle});
  ContextResources& context_entry = contexts_.at(context);
  const bool free = wanted && !context_entry.resources.contains({resource.kind, *wanted});
  resource.handle = free ? *wanted : free_handle(context_entry, resource.kind);
  count_out(resource);
  resource.owner = context;
  resource.principal = context_entry.principal;
  count_in(resource);
  node.key() = {resource.kind, resource.handle};
  context_entry.resources.insert(std::move(node));
  return resource;
}

void ResourceTable::set_loaded(Resource& resource, PhysicalHandle physical) {
  displace(resource.kind, physical);
  resource.loaded = true;
  resource.physical = physical;
}

void ResourceTable::set_evicted(Resource& resource) {
  resource.loaded = false;
  resource.physical = {};
}

void ResourceTable::displace(Kind kind, PhysicalHandle physical) {
  for (Resource* const resource : all_) {
    if (resource->kind == kind && resource->loaded && resource->physical == physical) {
      set_evicted(*resource);
    }
  }
}

std::size_t ResourceTable::loaded_count(Kind kind) const {
  return static_cast<std::size_t>(std::ranges::count_if(all_, [kind](const Resource* resource) {
    return resource->kind == kind && resource->loaded && !resource->permanent;
  }));
}

std::vector<Resource*> ResourceTable::of(ContextId context) const {
  std::vector<Resource*> owned;
  const auto context_entry = contexts_.find(context);
  if (context_entry == contexts_.end()) return owned;
  for (const auto& [name, resource] : context_entry->second.resources)
    owned.push_back(resource.get());
  return owned;
}

std::vector<VirtualHandle> ResourceTable::handles(ContextId context, Kind kind) const {
  std::vector<VirtualHandle> handles;
  for (const Resource* const resource : of(context)) {
    if (resource->kind == kind && !resource->saved_by_client()) handles.push_back(resource->handle);
  }
  return handles;
}

void ResourceTable::count_in(const Resource& resource) {
  Tallies& tallies = resource.is_key() ? keys_ : sessions_;
  tallies.by_context.add(resource.owner);
  tallies.by_account.add(resource.principal.account);
}

void ResourceTable::count_out(const Resource& resource) {
  Tallies& tallies = resource.is_key() ? keys_ : sessions_;
  tallies.by_context.remove(resource.owner);
  tallies.by_account.remove(resource.principal.account);
}

Peak<AccountId> ResourceTable::most_in_context(bool keys) const {
  const auto [amount, context] = tallies(keys).by_context.peak();
  if (!context) return {};
  return {.amount = amount, .who = principal_of(*context).account};
}

exec::Usage ResourceTable::usage() const {
  return {.objects_of_context = most_in_context(true),
          .objects_of_account = keys_.by_account.peak(),
          .sessions_of_context = most_in_context(false),
          .sessions_of_account = sessions_.by_account.peak(),
          .orphans_of_account = {},
          .objects = {.held = keys_.by_context.total()},
          .sessions = {.held = sessions_.by_context.total()}};
}

}  // namespace tbs::rm12
