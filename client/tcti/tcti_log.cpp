#include "client/tcti/tcti_log.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

namespace tbs::tcti {
namespace {

std::string lower(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return made;
}

std::optional<LogLevel> level_named(std::string_view name) {
  if (name == "none" || name == "unused") return LogLevel::None;
  if (name == "error") return LogLevel::Error;
  if (name == "warning") return LogLevel::Warning;
  if (name == "info") return LogLevel::Info;
  if (name == "debug" || name == "trace") return LogLevel::Debug;
  return std::nullopt;
}

const char* label_of(LogLevel level) {
  switch (level) {
    case LogLevel::None:
      break;
    case LogLevel::Error:
      return "ERROR";
    case LogLevel::Warning:
      return "WARNING";
    case LogLevel::Info:
      return "info";
    case LogLevel::Debug:
      return "debug";
  }
  return "";
}

}  // namespace

LogLevel log_level_of(std::string_view setting) {
  LogLevel level = LogLevel::Warning;
  const std::string all = lower(setting);
  for (std::string_view rest = all; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const std::size_t plus = part.find('+');
    if (plus == std::string_view::npos) continue;
    const std::string_view module = part.substr(0, plus);
    const auto named = level_named(part.substr(plus + 1));
    if (named && (module == "all" || module == "tcti")) level = *named;
  }
  return level;
}

void log(LogLevel level, std::string_view text) {
  const char* const setting = std::getenv("TSS2_LOG");
  if (level > log_level_of(setting == nullptr ? "" : setting)) return;
  std::fprintf(stderr, "%s:tcti:tbs: %.*s\n", label_of(level), static_cast<int>(text.size()),
               text.data());
}

}  // namespace tbs::tcti
