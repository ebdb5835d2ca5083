#include "daemon/host/memory_reserve.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace tbs::host {
namespace {

// Enough for the largest frames of a few connections and what becomes of them.
constexpr std::size_t kReserve = std::size_t{2} << 20;

// Helper threads allocate as well.
std::atomic<void*> reserve{nullptr};

void use_reserve() {
  void* const memory = reserve.exchange(nullptr);
  if (memory == nullptr) throw std::bad_alloc();
  std::free(memory);
}

}  // namespace

void set_up_memory_reserve() {
  reserve = std::malloc(kReserve);
  std::set_new_handler(use_reserve);
}

bool memory_is_short() {
  if (reserve.load() != nullptr) return false;
  void* const memory = std::malloc(kReserve);
  if (memory == nullptr) return true;
  reserve = memory;
  return false;
}

}  // namespace tbs::host
