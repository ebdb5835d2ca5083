#pragma once

// A small set of what a command needs, without allocation.

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace tbs::exec {

// A few things, each once, in the order they were added.
template <typename Item, std::size_t Capacity>
class InlineSet {
 public:
  void add(Item item) {
    if (std::ranges::find(all(), item) == all().end()) items_[count_++] = item;
  }
  [[nodiscard]] std::span<const Item> all() const { return {items_.data(), count_}; }

 private:
  std::array<Item, Capacity> items_{};
  std::size_t count_ = 0;
};

}  // namespace tbs::exec
