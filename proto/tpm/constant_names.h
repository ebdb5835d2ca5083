#pragma once

// Names of the numbers that stand in commands and responses of a TPM 2.0, as the specification has
// them: "TPM_ALG_SHA256". Empty for a number that it does not know. Source: TPM 2.0 Library,
// Part 2.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tbs::tpm {

std::string_view algorithm_name(std::uint16_t algorithm);
std::string_view curve_name(std::uint16_t curve);
std::string_view structure_tag_name(std::uint16_t tag);
std::string_view capability_name(std::uint32_t capability);
std::string_view property_name(std::uint32_t property);
// TPM_RH_OWNER and the like.
std::string_view permanent_handle_name(std::uint32_t handle);

// How many bytes a digest has; 0 when the algorithm is no hash that is known.
std::size_t digest_size(std::uint16_t algorithm);

}  // namespace tbs::tpm
