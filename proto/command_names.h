#pragma once

// Names of TPM 2.0 commands (Library Part 2, "TPM_CC") without their prefix TPM2_.

#include <cstdint>
#include <optional>
#include <string_view>

namespace tbs::proto {

// "GetRandom"; empty for a code that is none of them (TPM 1.2, vendor commands).
std::string_view command_name(std::uint32_t code);
// The other way round; capital or small letters, as people like.
std::optional<std::uint32_t> command_code(std::string_view name);

}  // namespace tbs::proto
