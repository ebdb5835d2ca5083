#pragma once

// Names of TPM 2.0 commands (Library Part 2, "TPM_CC"). They are printed without their prefix
// TPM2_.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tbs::ctl {

// "GetRandom"; the code in hexadecimal when it is none of them (TPM 1.2, vendor commands).
std::string command_name(std::uint32_t code);

// "GetRandom", "TPM2_GetRandom" or "TPM2_CC_GetRandom", in capital or small letters, or a number.
std::optional<std::uint32_t> parse_command_code(std::string_view text);

}  // namespace tbs::ctl
