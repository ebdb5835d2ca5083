#include "client/tbsctl/lockout/tpm_lockout.h"

#include <array>

#include "proto/limits.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"

namespace tbs::ctl {
namespace {

// The first of four: _LOCKOUT_COUNTER, _MAX_AUTH_FAIL, _LOCKOUT_INTERVAL, _LOCKOUT_RECOVERY.
constexpr std::uint32_t kFirstOfFour = tpm::pt::kLockoutCounter;

}  // namespace

proto::Buffer tpm_lockout_query() {
  // From TPM_PT_PERMANENT, which has the bit, to the last of the four.
  return tpm::build::get_capability(tpm::cap::kProperties, tpm::pt::kVariable,
                                    kFirstOfFour + 4 - tpm::pt::kVariable);
}

std::optional<TpmLockout> read_tpm_lockout(proto::Bytes response) {
  const auto header = proto::read_tpm_header(response);
  if (!header || header->code != tpm::rc::kSuccess) return std::nullopt;
  const auto list = tpm::parse_properties(response.subspan(proto::kTpmHeaderSize));
  if (!list) return std::nullopt;
  TpmLockout lockout;
  const std::array fields = {&lockout.counter, &lockout.limit, &lockout.interval,
                             &lockout.recovery};
  for (const tpm::Property& property : list->items) {
    if (property.name == tpm::pt::kVariable) {
      lockout.in_lockout = (property.value & TPMA_PERMANENT_INLOCKOUT) != 0;
    }
    if (property.name >= kFirstOfFour && property.name < kFirstOfFour + fields.size()) {
      *fields[property.name - kFirstOfFour] = property.value;
    }
  }
  return lockout;
}

std::uint32_t users_limit(const TpmLockout& tpm) {
  return tpm.limit > 1 ? tpm.limit - 1 : tpm.limit;
}

bool users_held_back(const TpmLockout& tpm) {
  return tpm.limit != 0 && tpm.interval != 0 && tpm.counter >= users_limit(tpm);
}

}  // namespace tbs::ctl
