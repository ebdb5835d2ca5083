#pragma once

// The machine's clocks, and which start of it this is.

#include <string>

#include "daemon/base/machine_time.h"

namespace tbs::host {

[[nodiscard]] MachineTime machine_time();

// Another text after each start of the machine; empty where it is not to be had.
[[nodiscard]] std::string boot_id();

}  // namespace tbs::host
