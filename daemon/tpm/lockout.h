#pragma once

// What a TPM 2.0 says about its protection against guessing: it counts failed authorizations,
// refuses all that are protected once the count has reached the limit, and forgets one now and
// then.

#include <cstdint>

namespace tbs::tpm {

struct Lockout {
  std::uint32_t counter = 0;  // TPM_PT_LOCKOUT_COUNTER
  std::uint32_t limit = 0;    // TPM_PT_MAX_AUTH_FAIL; 0: it has not said
  // TPM_PT_LOCKOUT_INTERVAL, the seconds after which one is forgotten; 0: there is no protection.
  std::uint32_t interval = 0;
  bool operator==(const Lockout&) const = default;
};

}  // namespace tbs::tpm
