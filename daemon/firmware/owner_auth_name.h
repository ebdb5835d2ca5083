#pragma once

#include <cstdint>
#include <string_view>

namespace tbs::firmware {

// The name of the file of a type (TBS_OWNERAUTH_TYPE_*) that a TPM of this family (TPM_VERSION_*)
// has; empty for others.
std::string_view owner_auth_name(std::uint32_t type, std::uint32_t tpm_version);

}  // namespace tbs::firmware
