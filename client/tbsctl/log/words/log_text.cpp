#include "client/tbsctl/log/words/log_text.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "client/tbsctl/text/hex.h"
#include "proto/terminal_text.h"

namespace tbs::ctl {
namespace {

using proto::ByteReader;
using proto::Bytes;

// Longer texts and byte strings are cut.
constexpr std::size_t kMostLogText = 160;
constexpr std::size_t kMostBytes = 32;
// No text of a log that is worth reading is longer.
constexpr std::size_t kMostRead = 8192;
constexpr char32_t kNoCharacter = 0xFFFD;

// As UTF-8.
void append(std::string& text, char32_t character) {
  const auto tail = [&](unsigned shift) {
    text.push_back(static_cast<char>(0x80U | (character >> shift & 0x3FU)));
  };
  if (character < 0x80) {
    text.push_back(static_cast<char>(character));
  } else if (character < 0x800) {
    text.push_back(static_cast<char>(0xC0U | character >> 6));
    tail(0);
  } else if (character < 0x10000) {
    text.push_back(static_cast<char>(0xE0U | character >> 12));
    tail(6);
    tail(0);
  } else {
    text.push_back(static_cast<char>(0xF0U | character >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

char32_t next_character(ByteReader& reader) {
  const std::uint16_t unit = reader.le16();
  if (unit < 0xD800 || unit > 0xDFFF) return unit;
  if (unit > 0xDBFF || reader.remaining() < 2) return kNoCharacter;
  ByteReader ahead = reader;
  const std::uint16_t low = ahead.le16();
  if (low < 0xDC00 || low > 0xDFFF) return kNoCharacter;
  reader = ahead;
  return 0x10000U + ((unit - 0xD800U) << 10) + (low - 0xDC00U);
}

std::string without_line_ends(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

// Whether a terminal would get the text as it is.
bool is_harmless(const std::string& text) {
  return proto::terminal_text(text) == text;
}

}  // namespace

std::string log_text(std::string_view text) {
  std::string line = proto::terminal_text(without_line_ends(text.substr(0, kMostRead)));
  if (line.size() <= kMostLogText) return line;
  std::size_t size = kMostLogText;
  while (size > 0 && (static_cast<unsigned char>(line[size]) & 0xC0U) == 0x80) --size;
  line.resize(size);
  return line + "...";
}

std::string bytes_text(Bytes data) {
  const std::string text = to_hex(data.first(std::min(data.size(), kMostBytes)));
  return data.size() > kMostBytes ? text + "... (" + std::to_string(data.size()) + " bytes)" : text;
}

std::optional<std::string> plain_text(Bytes data) {
  while (!data.empty() && data.back() == 0) data = data.first(data.size() - 1);
  if (data.empty()) return std::nullopt;
  std::string text = without_line_ends(std::string(data.begin(), data.end()));
  if (text.empty() || !is_harmless(text)) return std::nullopt;
  return text;
}

bool is_wide(Bytes data) {
  return data.size() >= 2 && data.size() % 2 == 0 && data[0] != 0 && data[1] == 0;
}

std::optional<std::string> utf16_text(Bytes data) {
  ByteReader reader(data);
  std::string text;
  while (reader.remaining() >= 2) {
    const char32_t character = next_character(reader);
    if (character == 0) break;
    if (character == kNoCharacter) return std::nullopt;
    append(text, character);
  }
  const bool filled =
      std::ranges::all_of(reader.rest(), [](std::uint8_t byte) { return byte == 0; });
  std::string line = without_line_ends(text);
  if (line.empty() || !filled || !is_harmless(line)) return std::nullopt;
  return line;
}

std::string utf16(Bytes data) {
  ByteReader reader(data);
  std::string text;
  while (reader.remaining() >= 2 && text.size() < kMostRead) {
    const char32_t character = next_character(reader);
    if (character == 0) break;
    append(text, character);
  }
  return log_text(text);
}

std::string hex_number(std::uint64_t number) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(number));
  return text.data();
}

std::string counted(std::size_t count, std::string_view what) {
  std::string text = std::to_string(count) + " " + std::string(what);
  if (count == 1) return text;
  return text + (what.ends_with("sh") ? "es" : "s");
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array kUnits = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  std::uint64_t tenths = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    tenths = bytes % 1024 * 10 / 1024;
    bytes /= 1024;
    ++unit;
  }
  std::string text = std::to_string(bytes);
  if (tenths != 0) text += "." + std::to_string(tenths);
  return text + " " + kUnits[unit];
}

}  // namespace tbs::ctl
