#include "daemon/config/config_lines.h"

#include <algorithm>

#include "daemon/config/trimmed.h"

namespace tbs {
namespace {

bool part_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// Whether the option stands in the text as a whole word, with its dashes or without.
bool names(std::string_view text, std::string_view option) {
  for (std::size_t at = text.find(option); at != text.npos; at = text.find(option, at + 1)) {
    const std::size_t end = at + option.size();
    std::string_view before = text.substr(0, at);
    if (before.ends_with("--")) before.remove_suffix(2);
    const bool begins = before.empty() || !part_of_name(before.back());
    if (begins && (end == text.size() || !part_of_name(text[end]))) return true;
  }
  return false;
}

bool given(const std::vector<std::string>& arguments, std::string_view option) {
  const std::string dashed = "--" + std::string(option);
  return std::ranges::any_of(arguments, [&](const std::string& argument) {
    return argument == dashed || argument.starts_with(dashed + "=");
  });
}

}  // namespace

ConfigLine find_config_line(std::string_view file, std::string_view message,
                            const std::vector<std::string>& arguments) {
  ConfigLine found;
  for (std::size_t number = 1; !file.empty(); ++number) {
    const std::size_t length = std::min(file.find('\n'), file.size());
    const std::string_view line = trimmed(file.substr(0, length));
    file.remove_prefix(std::min(file.size(), length + 1));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    const std::string_view option = trimmed(line.substr(0, line.find('=')));
    if (!option.empty() && names(message, option) && !given(arguments, option)) {
      found = {.number = number, .name = std::string(option)};
    }
  }
  return found;
}

}  // namespace tbs
