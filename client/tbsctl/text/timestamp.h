#pragma once

// Moments for people, whatever the locale.

#include <cstdint>
#include <string>

namespace tbs::ctl {

// "2026-03-01 12:00:00.123": microseconds since 1970 in the time zone of the user (TZ).
std::string local_time(std::uint64_t microseconds);
// "2026-03-01T11:00:00.123456Z"
std::string utc_time(std::uint64_t microseconds);

}  // namespace tbs::ctl
