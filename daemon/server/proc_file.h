#pragma once

// Small files of the kernel's and the system's.

#include <cstddef>
#include <string>

#include <sys/types.h>

namespace tbs::server {

// At most so many bytes of it; nothing when it cannot be read.
[[nodiscard]] std::string read_small_file(const std::string& path, std::size_t most);
// /proc/PID/FILE, as far as it is of any use.
[[nodiscard]] std::string read_of_process(pid_t pid, const char* file);

}  // namespace tbs::server
