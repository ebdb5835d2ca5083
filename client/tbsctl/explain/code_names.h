#pragma once

// Codes by the names that the specifications, tpm2-tss, TBS and the C library have for them.

#include <cstdint>
#include <string_view>
#include <vector>

namespace tbs::ctl {

enum class CodeFamily : std::uint8_t { Tpm20, Tpm12, Tbs, System };

struct FamilyCode {
  CodeFamily family;
  std::uint32_t code;

  bool operator==(const FamilyCode&) const = default;
};

// All that have this name: TPM_RC_LOCKOUT, TPM2_RC_LOCKOUT, TSS2_TCTI_RC_IO_ERROR, TPM_AUTHFAIL,
// TBS_E_BAD_PARAMETER, TPM_E_RETRY, EBUSY. Without its prefix a name may stand for several:
// "retry". Capital or small letters.
std::vector<FamilyCode> codes_named(std::string_view text);

// Some that have the text in their name, for who has not hit one.
std::vector<std::string_view> names_like(std::string_view text);

}  // namespace tbs::ctl
