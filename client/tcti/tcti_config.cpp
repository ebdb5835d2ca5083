#include "client/tcti/tcti_config.h"

#include <charconv>
#include <optional>

#include "client/include/tbs/tbs.h"
#include "client/socket_path.h"

namespace tbs::tcti {
namespace {

constexpr std::string_view kSocketKey = "socket=";
constexpr std::string_view kPriorityKey = "priority=";

std::optional<std::uint32_t> parse_number(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (hexadecimal) text.remove_prefix(2);
  std::uint32_t number = 0;
  const auto [stop, fault] =
      std::from_chars(text.begin(), text.end(), number, hexadecimal ? 16 : 10);
  if (text.empty() || fault != std::errc() || stop != text.end()) return std::nullopt;
  return number;
}

std::optional<std::uint32_t> parse_priority(std::string_view text) {
  if (text == "low") return TBS_COMMAND_PRIORITY_LOW;
  if (text == "normal") return TBS_COMMAND_PRIORITY_NORMAL;
  if (text == "high") return TBS_COMMAND_PRIORITY_HIGH;
  return parse_number(text);
}

// Nothing, or what is wrong.
std::optional<std::string> apply(std::string_view part, Config& config) {
  if (part.starts_with(kSocketKey)) {
    config.socket = part.substr(kSocketKey.size());
    if (client::is_socket_path(config.socket)) return std::nullopt;
    return "\"" + config.socket + "\" is no path of a socket (1 to 107 bytes)";
  }
  if (!part.starts_with(kPriorityKey)) {
    return "\"" + std::string(part) + "\" is neither socket=PATH nor priority=PRIORITY";
  }
  const auto priority = parse_priority(part.substr(kPriorityKey.size()));
  if (!priority) {
    return "\"" + std::string(part) + "\": a priority is low, normal, high or a number";
  }
  config.priority = *priority;
  return std::nullopt;
}

bool is_list(std::string_view text) {
  const std::size_t equals = text.find('=');
  return equals != std::string_view::npos && text.find('/') > equals;
}

}  // namespace

std::expected<Config, std::string> parse_config(std::string_view text) {
  Config config;
  if (text.empty()) return config;
  if (!is_list(text)) {
    if (!client::is_socket_path(text)) {
      return std::unexpected("\"" + std::string(text) +
                             "\" is no path of a socket (1 to 107 bytes)");
    }
    config.socket = text;
    return config;
  }
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (const auto wrong = apply(part, config)) return std::unexpected(*wrong);
  }
  return config;
}

}  // namespace tbs::tcti
