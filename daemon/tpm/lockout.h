#pragma once

// What a TPM 2.0 says about its protection against guessing: it counts failed authorizations,
// refuses all that are protected once the count has reached the limit, and forgets one now and
// then.

#include <cstdint>

#include "proto/tpm/capability.h"
#include "proto/tpm/constants.h"

namespace tbs::tpm {

struct Lockout {
  std::uint32_t counter = 0;  // TPM_PT_LOCKOUT_COUNTER
  std::uint32_t limit = 0;    // TPM_PT_MAX_AUTH_FAIL; 0: it has not said
  // TPM_PT_LOCKOUT_INTERVAL, the seconds after which one is forgotten; 0: there is no protection.
  std::uint32_t interval = 0;
  // TPM_PT_LOCKOUT_RECOVERY, the seconds after a wrong lockoutAuth; 0: until a power cycle.
  std::uint32_t recovery = 0;
  // TPMS_CLOCK_INFO.clock: milliseconds for which the TPM had power; 0: it was not asked.
  std::uint64_t clock = 0;
  bool operator==(const Lockout&) const = default;

  template <typename Record>
  void fields(Record& record) {
    record(counter, limit, interval, recovery, clock);
  }

  // Takes what the property says, if it is one of these.
  void take(const Property& property) {
    if (property.name == pt::kLockoutCounter) counter = property.value;
    if (property.name == pt::kMaxAuthFail) limit = property.value;
    if (property.name == pt::kLockoutInterval) interval = property.value;
    if (property.name == pt::kLockoutRecovery) recovery = property.value;
  }
};

// How many properties these are: they follow one another.
inline constexpr std::uint32_t kLockoutProperties = pt::kLockoutRecovery - pt::kLockoutCounter + 1;

}  // namespace tbs::tpm
