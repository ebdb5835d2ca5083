#include "proto/rules/rule_files.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

namespace tbs::rules {
namespace {

namespace fs = std::filesystem;

std::expected<std::vector<std::string>, ParseError> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) return names;
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".conf") names.push_back(entry->path().string());
    if (names.size() > kMaxRuleFiles) return std::unexpected(folder + ": too many files");
  }
  if (error) return std::unexpected(folder + ": " + error.message());
  std::ranges::sort(names);
  return names;
}

std::expected<Source, ParseError> read_file(const std::string& name) {
  errno = 0;
  std::ifstream file(name, std::ios::binary);
  // One byte more than allowed: the parser says that it is too long.
  std::string text(kMaxText + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return std::unexpected(name + ": cannot be read: " + std::generic_category().message(errno));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return Source{.name = name, .text = std::move(text)};
}

}  // namespace

std::expected<Rules, ParseError> read_rules(const std::string& folder) {
  const auto names = names_in(folder);
  if (!names) return std::unexpected(names.error());
  std::vector<Source> sources;
  for (const std::string& name : *names) {
    auto source = read_file(name);
    if (!source) return std::unexpected(source.error());
    sources.push_back(*std::move(source));
  }
  return parse_rules(sources);
}

}  // namespace tbs::rules
