#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/base/family.h"

namespace tbs::firmware {

// The name of the file of a type (TBS_OWNERAUTH_TYPE_*) that a TPM of this family has; empty for
// others, and while the family is not known.
std::string_view owner_auth_name(std::uint32_t type, std::optional<Family> family);

}  // namespace tbs::firmware
