#pragma once

// The handles that programs hold, and what each stands for. Programs pass whatever they like: the
// address of the handle, one closed long ago, one from before a fork. So a handle is only ever
// compared, never followed.
//
// A handle is an odd number below 2^31: bit 0 set, 16 bits of place, 14 bits of how often the place
// was used. Odd, so that it is the address of no variable; counted, so that a closed handle does
// not name whoever came next. Not locked: the owner does that.

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace tbs::client {

template <typename Object>
class HandleTable {
 public:
  static constexpr std::size_t kCapacity = 65535;

  // A handle for the object, in the given fork generation; 0 when the table is full.
  std::uint32_t insert(std::shared_ptr<Object> object, std::uint32_t generation) {
    const std::size_t place = free_place();
    if (place == kCapacity) return 0;
    Slot& slot = slots_[place];
    slot.uses = slot.uses % kMaxUses + 1;
    slot.generation = generation;
    slot.object = std::move(object);
    return slot.uses << 17 | static_cast<std::uint32_t>(place) << 1 | 1U;
  }

  // What a handle stands for in this generation; null when it is none.
  [[nodiscard]] std::shared_ptr<Object> find(std::uintptr_t handle,
                                             std::uint32_t generation) const {
    const std::size_t place = place_of(handle, generation);
    return place == kCapacity ? nullptr : slots_[place].object;
  }

  // The same, and the handle stands for nothing from now on.
  std::shared_ptr<Object> remove(std::uintptr_t handle, std::uint32_t generation) {
    const std::size_t place = place_of(handle, generation);
    if (place == kCapacity) return nullptr;
    free_.push_back(static_cast<std::uint16_t>(place));
    return std::exchange(slots_[place].object, nullptr);
  }

 private:
  static constexpr std::uint32_t kMaxUses = 0x3FFF;

  struct Slot {
    std::shared_ptr<Object> object;
    std::uint32_t generation = 0;
    std::uint32_t uses = 0;
  };

  // The place used longest ago, so that a closed handle stays unused for as long as possible.
  std::size_t free_place() {
    if (next_free_ < free_.size()) {
      const std::size_t place = free_[next_free_++];
      if (next_free_ == free_.size()) free_.clear(), next_free_ = 0;
      return place;
    }
    if (slots_.size() == kCapacity) return kCapacity;
    slots_.emplace_back();
    return slots_.size() - 1;
  }

  [[nodiscard]] std::size_t place_of(std::uintptr_t handle, std::uint32_t generation) const {
    if (handle >= 0x80000000U || (handle & 1U) == 0) return kCapacity;
    const std::size_t place = handle >> 1 & 0xFFFFU;
    if (place >= slots_.size()) return kCapacity;
    const Slot& slot = slots_[place];
    const bool live = slot.object && slot.generation == generation && slot.uses == handle >> 17;
    return live ? place : kCapacity;
  }

  std::vector<Slot> slots_;
  std::vector<std::uint16_t> free_;
  std::size_t next_free_ = 0;
};

}  // namespace tbs::client
