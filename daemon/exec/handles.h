#pragma once

// What a client calls an object or session, and what the TPM calls it. The two are never the same
// thing, whatever their numbers: a virtual handle means something in one context alone, a physical
// one in the TPM alone. Only what stands in the bytes of a command or response is a bare number.

#include <cstdint>

namespace tbs::exec {

enum class VirtualHandle : std::uint32_t {};
enum class PhysicalHandle : std::uint32_t {};

// As it stands in commands and responses.
constexpr std::uint32_t number_of(VirtualHandle handle) {
  return static_cast<std::uint32_t>(handle);
}
constexpr std::uint32_t number_of(PhysicalHandle handle) {
  return static_cast<std::uint32_t>(handle);
}

// Where the numbers of a context's handles begin, after so many lost connections of its client:
// 65,536 further each time. After the 254th they begin where they did after the first.
constexpr std::uint32_t first_handle_index(std::uint32_t earlier) {
  constexpr std::uint32_t kTurn = 254;
  return earlier == 0 ? 0 : ((earlier - 1) % kTurn + 1) << 16;
}

}  // namespace tbs::exec
