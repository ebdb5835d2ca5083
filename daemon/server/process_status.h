#pragma once

// What /proc/PID/status says of a thread: whose process it belongs to, and its rights on files.

#include <optional>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace tbs::server {

struct ProcessStatus {
  pid_t process = 0;  // the thread's
  uid_t file_user = 0;
  std::vector<gid_t> groups;  // besides its own
};

// Nothing when lines are missing or make no sense. Of a list of groups that is cut off, the whole
// ones.
std::optional<ProcessStatus> process_status(std::string_view text);

}  // namespace tbs::server
