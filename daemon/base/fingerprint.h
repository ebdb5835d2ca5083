#pragma once

// A number that tells byte strings apart, made about as fast as they are read. Whoever wants two of
// them to have the same one can have that: it compares what nobody else chooses alone.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "proto/byte_reader.h"

namespace tbs {

inline std::uint64_t fingerprint(proto::Bytes bytes) {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15;
  std::uint64_t mixed = bytes.size() * kOdd;
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t width = std::min(bytes.size(), sizeof(word));
    std::memcpy(&word, bytes.data(), width);
    mixed = std::rotl((mixed ^ word) * kOdd, 29);
    bytes = bytes.subspan(width);
  }
  return mixed ^ mixed >> 32;
}

inline std::uint64_t fingerprint(std::string_view text) {
  return fingerprint(proto::Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

}  // namespace tbs
