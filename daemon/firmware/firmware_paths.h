#pragma once

// Where the kernel keeps what belongs to a TPM outside the chip, found from the device's name, or
// where the configuration says.

#include <string>

namespace tbs::firmware {

// "auto": beside the device, if it is one of the kernel's; "none"; or a path.
struct PlaceOptions {
  std::string device;  // as `--device` has it
  std::string event_log = "auto";
  std::string presence = "auto";
};

// Empty: there is none.
struct FirmwarePaths {
  std::string event_log;  // a file
  std::string presence;   // the folder `ppi`
};

// Looks at the device and at sysfs each time: a chip's driver may come late.
FirmwarePaths find_places(const PlaceOptions& options, const std::string& sysfs = "/sys");

}  // namespace tbs::firmware
