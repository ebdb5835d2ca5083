#pragma once

#include <cstdint>

#include "daemon/base/family.h"

namespace tbs::server {

// Whether a command that succeeds changes the TPM for everybody, so that an administrator wants to
// know who sent it.
[[nodiscard]] bool changes_state(Family family, std::uint32_t command);

}  // namespace tbs::server
