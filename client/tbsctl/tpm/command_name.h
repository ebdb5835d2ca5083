#pragma once

// Names of TPM 2.0 commands (Library Part 2, "TPM_CC") without their prefix TPM2_.

#include <cstdint>
#include <string>

namespace tbs::ctl {

// "GetRandom"; the code in hexadecimal when it is none of them (TPM 1.2, vendor commands).
std::string command_name(std::uint32_t code);

}  // namespace tbs::ctl
