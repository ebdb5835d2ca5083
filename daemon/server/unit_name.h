#pragma once

// Where a process belongs, from /proc/PID/cgroup (cgroups(7)).

#include <string>
#include <string_view>

namespace tbs::server {

// The path in the unified hierarchy: of the line "0::/PATH"; empty when there is none.
std::string cgroup_path(std::string_view cgroup_file);

// The systemd unit that owns the control group, as sd_pid_get_unit(3) has it: the first component
// that is a service or scope, below slices. Empty when there is none. What users start under their
// own manager belongs to user@UID.service.
std::string unit_name(std::string_view cgroup);

}  // namespace tbs::server
