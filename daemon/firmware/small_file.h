#pragma once

// A file of sysfs, read whole.

#include <expected>
#include <string>

namespace tbs::firmware {

// Its text, or an errno value. EFBIG past 64 KiB: sysfs gives a page at most. Blocks.
std::expected<std::string, int> read_small_file(const std::string& path);

}  // namespace tbs::firmware
