#pragma once

// Names of TPM 1.2 commands. Source: TPM Main Specification Level 2, Part 3 "Commands".

#include <cstdint>
#include <optional>
#include <string_view>

namespace tbs::tpm12 {

// "TPM_GetRandom"; empty for an ordinal that is none of them.
std::string_view ordinal_name(std::uint32_t ordinal);
// The other way round, with TPM_ in front or without; capital or small letters.
std::optional<std::uint32_t> ordinal_of(std::string_view name);

}  // namespace tbs::tpm12
