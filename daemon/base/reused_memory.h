#pragma once

// Memory for objects that come and go with every command: what one has left, the next one of its
// class gets, without a look at the heap. Each thread has its own, and keeps a few blocks.
//
// AddressSanitizer's builds use the heap, so that it finds who uses what has gone.

#include <cstddef>
#include <new>
#include <utility>

namespace tbs {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr std::size_t kBlocksKept = 0;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr std::size_t kBlocksKept = 0;
#else
inline constexpr std::size_t kBlocksKept = 64;
#endif
#else
inline constexpr std::size_t kBlocksKept = 64;
#endif

// The blocks of one class that are free now.
template <typename Class>
class FreeBlocks {
 public:
  FreeBlocks() = default;
  ~FreeBlocks() {
    while (first_ != nullptr) ::operator delete(pop());
  }
  FreeBlocks(const FreeBlocks&) = delete;
  FreeBlocks& operator=(const FreeBlocks&) = delete;

  static FreeBlocks& of_thread() {
    static thread_local FreeBlocks blocks;
    return blocks;
  }
  void* take() { return first_ != nullptr ? pop() : ::operator new(sizeof(Class)); }
  void give(void* memory) {
    if (count_ == kBlocksKept) return ::operator delete(memory);
    ++count_;
    first_ = ::new (memory) Block{first_};
  }

 private:
  struct Block {
    Block* next;
  };
  static_assert(sizeof(Class) >= sizeof(Block) &&
                alignof(Class) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

  void* pop() {
    --count_;
    return std::exchange(first_, first_->next);
  }

  Block* first_ = nullptr;
  std::size_t count_ = 0;
};

// For std::allocate_shared().
template <typename Class>
struct ReusingAllocator {
  using value_type = Class;

  ReusingAllocator() = default;
  template <typename Other>
  explicit(false) ReusingAllocator(const ReusingAllocator<Other>&) {}

  Class* allocate(std::size_t count) {
    return static_cast<Class*>(count == 1 ? FreeBlocks<Class>::of_thread().take()
                                          : ::operator new(count * sizeof(Class)));
  }
  void deallocate(Class* memory, std::size_t count) {
    count == 1 ? FreeBlocks<Class>::of_thread().give(memory) : ::operator delete(memory);
  }
  template <typename Other>
  bool operator==(const ReusingAllocator<Other>&) const {
    return true;
  }
};

// Base of `Class`, whose objects are made with new. A class derived from that goes to the heap.
template <typename Class>
class ReusedMemory {
 public:
  static void* operator new(std::size_t size) {
    return size == sizeof(Class) ? FreeBlocks<Class>::of_thread().take() : ::operator new(size);
  }
  static void operator delete(void* memory, std::size_t size) {
    size == sizeof(Class) ? FreeBlocks<Class>::of_thread().give(memory) : ::operator delete(memory);
  }

 private:
  friend Class;
  ReusedMemory() = default;
  ~ReusedMemory() = default;
};

}  // namespace tbs
