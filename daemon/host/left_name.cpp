#include "daemon/host/left_name.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include "daemon/base/tenant_name.h"

namespace tbs::host {
namespace {

using NameKind = LeftName::Kind;

constexpr std::string_view kRecord = "record";
constexpr std::string_view kTpmPrefix = "tpm-";
constexpr std::size_t kMaxPart = 32;

bool is_part(std::string_view text) {
  return !text.empty() && text.size() <= kMaxPart && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* const begin = std::to_address(text.begin());
  std::from_chars(begin, begin + text.size(), number);
  // One number has one name.
  return std::to_string(number) == text ? std::optional(number) : std::nullopt;
}

}  // namespace

std::string to_string(const LeftName& name) {
  std::string text;
  switch (name.kind) {
    case NameKind::Record:
      text = kRecord;
      break;
    case NameKind::Tpm:
      text = std::string(kTpmPrefix) + name.part;
      break;
    case NameKind::Client:
      text = std::string(kClientPrefix) + std::to_string(name.number);
      break;
  }
  return name.tenant.empty() ? text : text + "@" + name.tenant;
}

std::optional<LeftName> parse_left_name(std::string_view text) {
  LeftName name;
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    if (!is_tenant_name(text.substr(at + 1))) return std::nullopt;
    name.tenant = text.substr(at + 1);
    text = text.substr(0, at);
  }
  if (text == kRecord) return name;
  if (text.starts_with(kTpmPrefix) && is_part(text.substr(kTpmPrefix.size()))) {
    name.kind = NameKind::Tpm;
    name.part = text.substr(kTpmPrefix.size());
    return name;
  }
  if (!text.starts_with(kClientPrefix)) return std::nullopt;
  const auto number = parse_number(text.substr(kClientPrefix.size()));
  if (!number) return std::nullopt;
  name.kind = NameKind::Client;
  name.number = *number;
  return name;
}

}  // namespace tbs::host
