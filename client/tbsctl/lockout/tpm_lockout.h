#pragma once

// The TPM 2.0's own protection against dictionary attacks: its counter and what belongs to that.

#include <cstdint>
#include <optional>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {

struct TpmLockout {
  bool in_lockout = false;  // no authorization of what is protected, until the counter goes down
  std::uint32_t counter = 0;
  std::uint32_t limit = 0;
  std::uint32_t interval = 0;  // seconds after which the counter goes down by one
  std::uint32_t recovery = 0;  // seconds after a failure of the lockout authorization
};

// The command that asks for it, and its response; nothing when that is no such answer.
proto::Buffer tpm_lockout_query();
std::optional<TpmLockout> read_tpm_lockout(proto::Bytes response);

// What tbsd lets users fail together; the rest is kept for administrators (tbsd.conf(5)). A TPM
// that counts nothing has nothing to keep.
std::uint32_t users_limit(const TpmLockout& tpm);
bool users_held_back(const TpmLockout& tpm);

}  // namespace tbs::ctl
