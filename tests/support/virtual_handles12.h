#pragma once

// The handles that clients of the TPM 1.2 resource manager get: the lowest free ones of their
// context and kind.

#include <cstdint>

#include "proto/tpm12/constants.h"

namespace tbs::test {

constexpr std::uint32_t first_handle(tpm12::Kind kind) {
  return static_cast<std::uint32_t>(kind) << 24;
}

inline constexpr std::uint32_t kFirstKey = first_handle(tpm12::Kind::Key);
inline constexpr std::uint32_t kFirstAuth = first_handle(tpm12::Kind::Auth);
inline constexpr std::uint32_t kFirstTransport = first_handle(tpm12::Kind::Transport);
inline constexpr std::uint32_t kFirstDaa = first_handle(tpm12::Kind::Daa);

}  // namespace tbs::test
