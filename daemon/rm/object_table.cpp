#include "daemon/rm/object_table.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace tbs::rm {

void ObjectTable::open_context(ContextId context, const Principal& principal) {
  contexts_[context].principal = principal;
}

void ObjectTable::skip_handles(ContextId context, std::uint32_t earlier) {
  begin_handles(context, exec::first_handle_index(earlier));
}

void ObjectTable::begin_handles(ContextId context, std::uint32_t first) {
  const auto entry = contexts_.find(context);
  if (entry == contexts_.end() || entry->second.objects.count() != 0) return;
  entry->second.objects.begin_at(first);
}

void ObjectTable::close_context(ContextId context) {
  contexts_.erase(context);
}

Object& ObjectTable::add(ContextId context, exec::PhysicalHandle physical, bool sequence) {
  ContextObjects& context_entry = contexts_.at(context);
  auto object = std::make_unique<Object>(
      Object{.owner = context, .principal = context_entry.principal, .sequence = sequence});
  by_account_.add(context_entry.principal.account);
  by_context_.add(context);
  Object& added = context_entry.objects.add(std::move(object));
  set_loaded(added, physical);
  return added;
}

void ObjectTable::erase(Object& object) {
  set_evicted(object);
  set_sticky(object, false);
  by_account_.remove(object.principal.account);
  by_context_.remove(object.owner);
  contexts_.at(object.owner).objects.erase(object);
}

Object* ObjectTable::put_back(Object object) {
  const auto context_entry = contexts_.find(object.owner);
  if (context_entry == contexts_.end()) return nullptr;
  const bool sticky = object.sticky;
  Object* const added =
      context_entry->second.objects.put_back(std::make_unique<Object>(std::move(object)));
  if (added == nullptr) return nullptr;
  by_account_.add(added->principal.account);
  by_context_.add(added->owner);
  if (sticky) ++sticky_;
  return added;
}

Object* ObjectTable::find(ContextId context, exec::VirtualHandle handle) const {
  const auto context_entry = contexts_.find(context);
  return context_entry == contexts_.end() ? nullptr : context_entry->second.objects.find(handle);
}

void ObjectTable::displace(exec::PhysicalHandle physical) {
  const auto other = std::ranges::find(loaded_, physical, &Object::physical);
  if (other != loaded_.end()) set_evicted(**other);
}

void ObjectTable::set_loaded(Object& object, exec::PhysicalHandle physical) {
  set_evicted(object);
  displace(physical);
  object.physical = physical;
  loaded_.push_back(&object);
}

void ObjectTable::set_evicted(Object& object) {
  object.physical.reset();
  std::erase(loaded_, &object);
}

void ObjectTable::set_sticky(Object& object, bool sticky) {
  if (object.sticky == sticky) return;
  object.sticky = sticky;
  sticky ? ++sticky_ : --sticky_;
}

Peak<AccountId> ObjectTable::most_in_context() const {
  const auto [objects, context] = by_context_.peak();
  if (!context) return {};
  return {.amount = objects, .who = contexts_.at(*context).principal.account};
}

std::vector<exec::VirtualHandle> ObjectTable::handles_from(ContextId context,
                                                           exec::VirtualHandle first) const {
  const auto context_entry = contexts_.find(context);
  if (context_entry == contexts_.end()) return {};
  return context_entry->second.objects.handles_from(first);
}

std::vector<Object*> ObjectTable::of(ContextId context) const {
  const auto context_entry = contexts_.find(context);
  if (context_entry == contexts_.end()) return {};
  return context_entry->second.objects.all();
}

std::vector<Object*> ObjectTable::all() const {
  std::vector<Object*> objects;
  for (const auto& [context, context_entry] : contexts_) {
    const auto some = context_entry.objects.all();
    objects.insert(objects.end(), some.begin(), some.end());
  }
  // The same whatever the contexts' numbers hash to.
  std::ranges::sort(objects, {}, [](const Object* object) {
    return std::pair(object->owner, object->virtual_handle);
  });
  return objects;
}

}  // namespace tbs::rm
