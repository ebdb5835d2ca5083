#pragma once

// How long a TPM 1.2 command may keep the TPM before the device counts as hung; the counterpart of
// daemon/tpm/command_class.h. The two families' command codes do not overlap.

#include <chrono>
#include <cstdint>

#include "proto/tpm/constants.h"

namespace tbs::tpm12 {

constexpr bool is_ordinal(std::uint32_t command_code) {
  return command_code < tpm::cc::kFirst;
}

std::chrono::seconds deadline_of(std::uint32_t ordinal);

}  // namespace tbs::tpm12
