#include "proto/terminal_text.h"

#include <algorithm>
#include <cstdint>

namespace tbs::proto {
namespace {

// How many bytes a character has by its first byte; 0 when none starts with it.
std::size_t length_of(std::uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  if (first >= 0xF0 && first < 0xF5) return 4;
  return 0;
}

// The code point of a character of `size` bytes; 0 when the bytes are none.
char32_t code_point(std::string_view bytes, std::size_t size) {
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  if (size == 1) return first;
  char32_t code = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = static_cast<std::uint8_t>(bytes[i]);
    if ((next & 0xC0U) != 0x80) return 0;
    code = code << 6 | (next & 0x3FU);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  return code < kLeast[size] || code > 0x10FFFF || surrogate ? 0 : code;
}

bool is_harmless(char32_t code) {
  if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return false;
  if (code >= 0x200B && code <= 0x200F) return false;  // of no width, and directions
  if (code >= 0x2028 && code <= 0x202E) return false;  // line ends, and directions
  return (code < 0x2060 || code > 0x206F) && code != 0xFEFF && code != 0x61C;
}

}  // namespace

std::string terminal_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = length_of(static_cast<std::uint8_t>(text[0]));
    const bool whole = size > 0 && size <= text.size();
    const char32_t code = whole ? code_point(text, size) : 0;
    const std::size_t taken = code == 0 ? 1 : size;
    if (is_harmless(code)) {
      out += text.substr(0, taken);
    } else {
      out += '?';
    }
    text.remove_prefix(taken);
  }
  return out;
}

}  // namespace tbs::proto
