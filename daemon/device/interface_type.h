#pragma once

#include <cstdint>

namespace tbs::device {

// TPM_IFTYPE_* of tbs.h.
enum InterfaceType : std::uint32_t {
  kUnknown = 0,
  kPortOrMemory = 1,
  kTrustZone = 2,
  kOtherHardware = 3,
  kEmulator = 4,
  kSerialBus = 5,
};

}  // namespace tbs::device
