#pragma once

// Memory of a device that is there as long as this object, whatever becomes of the device.

#include <array>
#include <cstdint>

#include "daemon/device/response_memory.h"

namespace tbs::test {

class MemoryPages {
 public:
  // As another process would see it.
  [[nodiscard]] device::ResponseMemory memory() { return device::ResponseMemory(bytes_); }

 private:
  alignas(4096) std::array<std::uint8_t, device::ResponseMemory::kSize> bytes_{};
};

}  // namespace tbs::test
