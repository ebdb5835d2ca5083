#include "client/tbsctl/text/hex.h"

#include <algorithm>
#include <optional>

#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

constexpr std::string_view kSeparators = " \t\r\n\f\v:,";

std::optional<std::uint8_t> digit_of(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

// "character 5", or "line 2, character 5" where there are lines. Counts from 1.
std::string position(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t start = before.rfind('\n');
  const std::size_t column = start == std::string_view::npos ? offset + 1 : offset - start;
  const bool lines = text.find('\n') < text.find_last_not_of(kSeparators);
  return (lines ? "line " + std::to_string(line) + ", " : "") + "character " +
         std::to_string(column);
}

std::unexpected<std::string> fault(std::string_view text, std::size_t offset, std::string what) {
  return std::unexpected("not hexadecimal at " + position(text, offset) + ": " + std::move(what));
}

// Appends the bytes of the group of digits that stands between `begin` and `end`.
std::expected<void, std::string> parse_group(std::string_view text, std::size_t begin,
                                             std::size_t end, proto::Buffer& out) {
  std::string_view group = text.substr(begin, end - begin);
  if (group.starts_with("0x") || group.starts_with("0X")) begin += 2;
  for (std::size_t i = begin; i < end; ++i) {
    if (!digit_of(text[i])) {
      return fault(text, i, "'" + printable(text.substr(i, 1)) + "' is no digit");
    }
  }
  group = text.substr(begin, end - begin);
  if (group.empty()) return fault(text, begin, "digits are missing after 0x");
  if (group.size() % 2 != 0) {
    return fault(text, begin,
                 "a group of " + std::to_string(group.size()) + " digits is no whole byte");
  }
  for (std::size_t i = 0; i < group.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(*digit_of(group[i]) << 4 | *digit_of(group[i + 1])));
  }
  return {};
}

}  // namespace

std::expected<proto::Buffer, std::string> parse_hex(std::string_view text) {
  proto::Buffer out;
  out.reserve(text.size() / 2);
  std::size_t begin = text.find_first_not_of(kSeparators);
  while (begin != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(kSeparators, begin), text.size());
    if (auto parsed = parse_group(text, begin, end, out); !parsed) {
      return std::unexpected(parsed.error());
    }
    begin = text.find_first_not_of(kSeparators, end);
  }
  return out;
}

std::string to_hex(proto::Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0xFU];
  }
  return out;
}

}  // namespace tbs::ctl
