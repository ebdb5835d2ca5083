#pragma once

// Which of the kernel's TPMs to use when none was named: the lowest-numbered TPM 2.0, or else the
// lowest-numbered TPM of the other kind. Looked up anew at each attempt to open: a driver that was
// bound anew may give the same chip another number.

#include <string>

namespace tbs::device {

// The node's path below `dev`; empty where the kernel has no TPM. `sysfs` is the mounted /sys.
std::string find_tpm(const std::string& sysfs = "/sys", const std::string& dev = "/dev");

}  // namespace tbs::device
