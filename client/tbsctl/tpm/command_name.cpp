#include "client/tbsctl/tpm/command_name.h"

#include <algorithm>

#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/number.h"
#include "proto/command_names.h"

namespace tbs::ctl {
namespace {

// `prefix` is in capital letters; the text may be in small ones.
bool starts_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::ranges::equal(text.substr(0, prefix.size()), prefix, [](char a, char b) {
           return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
         });
}

}  // namespace

std::string command_name(std::uint32_t code) {
  const std::string_view name = proto::command_name(code);
  return name.empty() ? hex32(code) : std::string(name);
}

std::optional<std::uint32_t> parse_command_code(std::string_view text) {
  if (const auto number = parse_number<std::uint32_t>(text)) return number;
  for (const std::string_view prefix : {"TPM2_CC_", "TPM_CC_", "TPM2_"}) {
    if (starts_with(text, prefix)) return proto::command_code(text.substr(prefix.size()));
  }
  return proto::command_code(text);
}

}  // namespace tbs::ctl
