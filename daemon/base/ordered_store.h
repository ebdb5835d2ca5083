#pragma once

// The store by which something comes to count for a successor: everything before it in the program
// is stored before it, everything after it afterwards. A killed process has carried out its
// instructions in their order, whatever the processor made of them, so only the compiler must be
// kept from moving stores.

#include <atomic>
#include <cstdint>

namespace tbs {

inline void store_in_order(std::uint64_t& word, std::uint64_t value) {
  static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::atomic_ref(word).store(value, std::memory_order_release);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

}  // namespace tbs
