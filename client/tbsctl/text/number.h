#pragma once

// Unsigned numbers from the command line, in decimal or (after 0x) hexadecimal. Strict: no sign, no
// blanks, nothing behind the digits, no wrapping around.

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace tbs::ctl {

template <std::unsigned_integral Number>
std::optional<Number> parse_number(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  Number value = 0;
  const auto [stop, error] = std::from_chars(text.begin(), text.end(), value, hex ? 16 : 10);
  if (error != std::errc{} || stop != text.end()) return std::nullopt;
  return value;
}

}  // namespace tbs::ctl
