#pragma once

// What uses the TPM past the daemon, each as a thing that can be done over and over: programs on
// /dev/tpmrm0 of several kinds, and the kernel itself.

#include <functional>
#include <string>
#include <vector>

namespace tbs::test {

enum class Verdict {
  Right,
  Refused,
  Wrong,  // an answer that is none
};

struct KernelUser {
  std::string name;
  // Does it once.
  std::function<Verdict()> operate;
  // A command of it needs no more than one object at a time.
  bool modest = true;
  bool needs_slots = true;
};

// Those that this kernel has.
std::vector<KernelUser> kernel_users();

}  // namespace tbs::test
