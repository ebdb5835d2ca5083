#pragma once

// What a successor must know of a swtpm that is open, and cannot ask: its control channel answers
// between commands only.

#include <cstdint>
#include <optional>

#include "daemon/device/response_memory.h"
#include "daemon/device/transceiver.h"

namespace tbs::device {

struct SwtpmRecord {
  static constexpr std::uint64_t kKind = 0x5357'0001;

  std::uint64_t kind;
  std::uint64_t name;          // fingerprint of the device's name
  std::uint64_t capabilities;  // of the control channel
  std::uint64_t family;        // 0: not known; 1: TPM 1.2; 2: TPM 2.0
  std::uint64_t powered;       // whether the daemon has initialized it
  std::uint64_t locality;      // one more than it; 0: not set
  std::uint64_t locality_due;  // whether it was about to be set
  std::uint64_t cancelling;    // whether a cancel may be on its way
};

inline std::uint64_t to_record(std::optional<Family> family) {
  return !family ? 0 : *family == Family::Tpm12 ? 1 : 2;
}
inline std::optional<Family> family_of_record(std::uint64_t family) {
  if (family == 1) return Family::Tpm12;
  if (family == 2) return Family::Tpm20;
  return std::nullopt;
}

}  // namespace tbs::device
