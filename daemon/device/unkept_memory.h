#pragma once

// Memory of a device that nobody keeps: it ends with this object.

#include <array>
#include <cstdint>

#include "daemon/device/response_memory.h"

namespace tbs::device {

class UnkeptMemory {
 public:
  UnkeptMemory() : memory_(bytes_) {}
  ~UnkeptMemory() = default;
  UnkeptMemory(const UnkeptMemory&) = delete;
  UnkeptMemory& operator=(const UnkeptMemory&) = delete;

  [[nodiscard]] ResponseMemory& memory() { return memory_; }
  [[nodiscard]] std::span<std::uint8_t> bytes() { return bytes_; }

 private:
  alignas(4096) std::array<std::uint8_t, ResponseMemory::kSize> bytes_{};
  ResponseMemory memory_;
};

}  // namespace tbs::device
