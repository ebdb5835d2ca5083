#pragma once

// Who holds a device node open: the kernel lets one process at a time have a TPM's raw node and
// says no more than EBUSY.

#include <string>
#include <vector>

#include <sys/types.h>

namespace tbs::device {

struct Holder {
  std::string name;
  std::string pid;
};

struct Holders {
  std::vector<Holder> found;
  // Where none could be found: running programs that are known to keep a TPM open.
  std::vector<Holder> suspects;
};

// Looks through `proc` (the mounted /proc) for processes with the device open; only those that this
// process may inspect are found, which is none of other users' without a capability. It reads the
// file system, so it does not belong in the loop.
Holders find_holders(dev_t number, const std::string& proc = "/proc");

// "held by tpm2-abrmd (pid 412); stop it, or let it use tbsd".
std::string holder_advice(const Holders& holders);

}  // namespace tbs::device
