#include "daemon/server/process_status.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace tbs::server {
namespace {

// What follows NAME on its line, with the line's end where it is there.
std::string_view after(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    if (text.starts_with(name)) return text.substr(name.size(), end - name.size());
    text.remove_prefix(end);
  }
  return {};
}

// The numbers of a line. One that nothing follows may be half of one.
template <typename Number>
std::vector<Number> numbers(std::string_view line) {
  std::vector<Number> found;
  for (;;) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    Number number{};
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error != std::errc() || end == line.data() + line.size()) return found;
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    if (line.find_first_of(" \t\n") != 0) return found;
    found.push_back(number);
  }
}

}  // namespace

std::optional<ProcessStatus> process_status(std::string_view text) {
  const auto process = numbers<pid_t>(after(text, "Tgid:"));
  const auto users = numbers<uid_t>(after(text, "Uid:"));
  // Real, effective, saved, and that for files (proc(5)).
  if (process.size() != 1 || process[0] <= 0 || users.size() != 4) return std::nullopt;
  return ProcessStatus{.process = process[0],
                       .file_user = users[3],
                       .groups = numbers<gid_t>(after(text, "Groups:"))};
}

}  // namespace tbs::server
