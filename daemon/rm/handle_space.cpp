#include "daemon/rm/handle_space.h"

#include <algorithm>
#include <utility>

#include "proto/tpm/constants.h"

namespace tbs::rm {
namespace {

// More than any context may have.
constexpr std::uint32_t kMostHandles = 100'000;

}  // namespace

Object& HandleSpace::add(std::unique_ptr<Object> object) {
  auto slot = std::ranges::find_if(slots_, [](const auto& held) { return held == nullptr; });
  if (slot == slots_.end()) slot = slots_.emplace(slots_.end());
  *slot = std::move(object);
  (*slot)->virtual_handle = exec::VirtualHandle{tpm::kTransientFirst + first_ +
                                                static_cast<std::uint32_t>(slot - slots_.begin())};
  ++count_;
  return **slot;
}

// Above every slot for one from below the first.
std::size_t HandleSpace::slot_of(exec::VirtualHandle handle) const {
  return tpm::handle_index(number_of(handle)) - first_;
}

bool HandleSpace::is_skipped(exec::VirtualHandle handle) const {
  return tpm::is_transient(number_of(handle)) && tpm::handle_index(number_of(handle)) < first_;
}

Object* HandleSpace::put_back(std::unique_ptr<Object> object) {
  const exec::VirtualHandle handle = object->virtual_handle;
  const std::size_t slot = slot_of(handle);
  if (!tpm::is_transient(number_of(handle)) || is_skipped(handle) || slot >= kMostHandles) {
    return nullptr;
  }
  if (slot >= slots_.size()) slots_.resize(slot + 1);
  if (slots_[slot] != nullptr) return nullptr;
  slots_[slot] = std::move(object);
  ++count_;
  return slots_[slot].get();
}

Object* HandleSpace::find(exec::VirtualHandle handle) const {
  const std::size_t slot = slot_of(handle);
  if (!tpm::is_transient(number_of(handle)) || slot >= slots_.size()) return nullptr;
  return slots_[slot].get();
}

void HandleSpace::erase(const Object& object) {
  slots_[slot_of(object.virtual_handle)].reset();
  --count_;
  while (!slots_.empty() && slots_.back() == nullptr) slots_.pop_back();
}

std::vector<exec::VirtualHandle> HandleSpace::handles_from(exec::VirtualHandle first) const {
  std::vector<exec::VirtualHandle> handles;
  for (const auto& slot : slots_) {
    if (slot != nullptr && slot->virtual_handle >= first) handles.push_back(slot->virtual_handle);
  }
  return handles;
}

std::vector<Object*> HandleSpace::all() const {
  std::vector<Object*> objects;
  objects.reserve(count_);
  for (const auto& slot : slots_) {
    if (slot != nullptr) objects.push_back(slot.get());
  }
  return objects;
}

}  // namespace tbs::rm
