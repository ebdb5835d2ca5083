#pragma once

// The physical presence interface in words. Source: TCG PC Client Platform Physical Presence
// Interface Specification 1.30, tables of operations and responses.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/tbsctl/text/named.h"

namespace tbs::ctl {

// "clear (5)"; the number alone where the operation has no name here. The names are those of a TPM
// 2.0 (`tpm12` false) or 1.2.
std::string operation_text(std::uint32_t operation, bool tpm12);
// Operations that can be submitted by name.
inline constexpr Names<std::uint32_t, 2> kSubmittedByName = {{{5, "clear"}, {0, "none"}}};
// One of these names, or a number.
std::optional<std::uint32_t> parse_operation(std::string_view text);

// "none", "shut down", "restart", ...
std::string_view transition_text(std::uint32_t action);
// "success", "the user said no", ...
std::string response_text(std::uint32_t response);
// "allowed when a user confirms", ...
std::string_view confirmation_text(std::uint32_t status);

}  // namespace tbs::ctl
