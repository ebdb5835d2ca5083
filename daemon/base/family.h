#pragma once

// Which kind of TPM it is. The two speak different languages: no command of one means anything to
// the other.

#include <cstdint>
#include <optional>

namespace tbs {

enum class Family : std::uint8_t { Tpm12, Tpm20 };

// TPM_VERSION_* of tbs.h, which is what clients are told; 0 while nobody knows.
constexpr std::uint32_t tpm_version_of(std::optional<Family> family) {
  if (!family) return 0;
  return *family == Family::Tpm12 ? 1 : 2;
}

}  // namespace tbs
