#include "daemon/host/machine_clock.h"

#include <array>
#include <ctime>

#include <systemd/sd-id128.h>

namespace tbs::host {
namespace {

std::uint64_t seconds_of(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0 || time.tv_sec < 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec);
}

}  // namespace

MachineTime machine_time() {
  return {.since_boot = seconds_of(CLOCK_BOOTTIME), .wall = seconds_of(CLOCK_REALTIME)};
}

std::string boot_id() {
  sd_id128_t id{};
  if (sd_id128_get_boot(&id) < 0) return {};
  std::array<char, SD_ID128_STRING_MAX> text{};
  return sd_id128_to_string(id, text.data());
}

}  // namespace tbs::host
