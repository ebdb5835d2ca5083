#pragma once

// The type of TPM_Startup that is not in constants.h: what programs alone send. Source: TPM Main
// Specification Level 2, Part 2 "TPM_STARTUP_TYPE", revision 116.

#include <cstdint>

namespace tbs::tpm12 {

inline constexpr std::uint16_t kStartupState = 2;

}  // namespace tbs::tpm12
