#pragma once

// Two clocks of the machine, read at one moment.

#include <cstdint>

namespace tbs {

struct MachineTime {
  // Seconds since the machine was started, sleep included. Nobody can set it.
  std::uint64_t since_boot = 0;
  // Seconds since 1970, as the machine believes: it may be wrong, and may be set at any time.
  std::uint64_t wall = 0;

  template <typename Record>
  void fields(Record& record) {
    record(since_boot, wall);
  }
};

}  // namespace tbs
