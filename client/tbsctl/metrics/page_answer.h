#pragma once

// tbsd's answer to a request for its metrics, as HTTP has it: all that came until the end of the
// connection.

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace tbs::ctl {

// A page takes some 30 KiB for each TPM.
inline constexpr std::size_t kMostAnswer = std::size_t{16} << 20;

// The page, or what is wrong, in one line.
std::expected<std::string, std::string> page_in(std::string_view answer);

}  // namespace tbs::ctl
