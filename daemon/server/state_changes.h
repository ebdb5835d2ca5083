#pragma once

#include <cstdint>

namespace tbs::server {

// Whether a command that succeeds changes the TPM for everybody, so that an administrator wants to
// know who sent it.
[[nodiscard]] bool changes_state(std::uint32_t family, std::uint32_t command);

}  // namespace tbs::server
