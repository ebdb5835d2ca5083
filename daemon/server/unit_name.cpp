#include "daemon/server/unit_name.h"

#include <algorithm>

namespace tbs::server {

std::string cgroup_path(std::string_view cgroup_file) {
  while (!cgroup_file.empty()) {
    std::string_view line = cgroup_file.substr(0, cgroup_file.find('\n'));
    cgroup_file.remove_prefix(std::min(cgroup_file.size(), line.size() + 1));
    if (!line.starts_with("0::/")) continue;
    line.remove_prefix(3);
    return std::string(line);
  }
  return {};
}

std::string unit_name(std::string_view cgroup) {
  while (!cgroup.empty()) {
    cgroup.remove_prefix(std::min(cgroup.find_first_not_of('/'), cgroup.size()));
    const std::string_view part = cgroup.substr(0, cgroup.find('/'));
    cgroup.remove_prefix(part.size());
    if (part.ends_with(".service") || part.ends_with(".scope")) return std::string(part);
    if (!part.ends_with(".slice")) return {};
  }
  return {};
}

}  // namespace tbs::server
