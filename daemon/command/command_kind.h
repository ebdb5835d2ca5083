#pragma once

// What a command is about, in a few kinds: those that take a TPM about as long, and that an
// administrator tells apart.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tbs {

enum class CommandKind : std::uint8_t {
  Create,       // keys are made, which takes longest
  Key,          // keys and sealed data are used or loaded
  Session,      // sessions and policies
  Nv,           // memory that outlives a start
  Pcr,          // platform registers
  Random,       // random numbers, and hashes without a key
  Information,  // what the TPM answers from its memory
  Other,        // what changes the TPM as a whole, and what is not known
};

inline constexpr std::array<std::string_view, 8> kCommandKindNames = {
    "create", "key", "session", "nv", "pcr", "random", "information", "other"};

// Of either family, whose command codes do not overlap.
CommandKind kind_of(std::uint32_t command_code);

}  // namespace tbs
