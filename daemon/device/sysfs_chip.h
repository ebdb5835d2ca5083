#pragma once

// What sysfs says of a TPM without asking the chip.

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

#include "daemon/device/transceiver.h"

namespace tbs::device {

struct ChipFacts {
  std::optional<Family> family;
  std::uint32_t interface_type = 0;  // TPM_IFTYPE_* of tbs.h
  std::string cancel_path;           // empty where the kernel has no such attribute
};

// `number` is that of the node, `sysfs` the mounted /sys. What is missing stays unknown.
ChipFacts read_chip_facts(dev_t number, const std::string& sysfs = "/sys");

// Writes the attribute; blocks, on many kernels for as long as a command runs. Returns an errno
// value, 0 if it was written.
int write_cancel(const std::string& path);

}  // namespace tbs::device
