#pragma once

// What a successor must know of an embedded TPM whose process it takes over.

#include <array>
#include <cstdint>

namespace tbs::device {

struct EmbeddedRecord {
  static constexpr std::uint64_t kKind = 0x454D'0001;

  std::uint64_t kind;
  std::uint64_t name;      // fingerprint of the device's name
  std::uint64_t sequence;  // of the last command
  std::array<char, 256>
      folder;  // the private one, ended by a zero; empty if the state is not there
};

}  // namespace tbs::device
