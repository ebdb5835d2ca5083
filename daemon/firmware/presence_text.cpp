#include "daemon/firmware/presence_text.h"

#include <algorithm>
#include <charconv>

#include "daemon/firmware/presence_request.h"

namespace tbs::firmware {
namespace {

// Longer than any version there is, and short enough for an answer.
constexpr std::size_t kMaxVersion = 32;

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t';
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes a number, decimal or with 0x, off the front.
std::optional<std::uint32_t> take_number(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  const bool hexadecimal = text.starts_with("0x");
  if (hexadecimal) text.remove_prefix(2);
  std::uint32_t value = 0;
  const auto end =
      std::from_chars(text.data(), text.data() + text.size(), value, hexadecimal ? 16 : 10);
  if (end.ec != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()));
  return value;
}

}  // namespace

proto::Buffer presence_version(std::string_view text) {
  const std::string_view version = without_blanks(text);
  if (version.empty() || version.size() > kMaxVersion) return {};
  proto::Buffer out(version.begin(), version.end());
  out.push_back(0);
  return out;
}

std::optional<proto::Buffer> presence_pending(std::string_view text) {
  const auto operation = take_number(text);
  if (!operation) return std::nullopt;
  const auto parameter = take_number(text);
  return parameter ? presence_integers({0, *operation, *parameter})
                   : presence_integers({0, *operation});
}

std::optional<proto::Buffer> presence_transition(std::string_view text) {
  const auto action = take_number(text);
  if (!action) return std::nullopt;
  return presence_integers({*action});
}

std::optional<proto::Buffer> presence_response(std::string_view text) {
  const auto operation = take_number(text);
  if (!operation) return std::nullopt;
  if (text.starts_with(':')) return presence_integers({0, *operation, 0});
  const auto response = take_number(text);
  if (!response) return std::nullopt;
  return presence_integers({0, *operation, *response});
}

std::uint32_t presence_confirmation(std::string_view text, std::uint32_t operation) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto listed = take_number(line);
    const auto status = take_number(line);
    if (listed == operation && status) return *status;
  }
  return 0;
}

}  // namespace tbs::firmware
