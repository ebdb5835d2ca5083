#pragma once

// A key of the kernel's that is sealed to the TPM, and loaded by the kernel itself: past the daemon
// and past the kernel's own resource manager.

#include <string>

namespace tbs::test {

class TrustedKey {
 public:
  // Whether the kernel has the module.
  static bool available();

  // Seals one, with a persistent parent that it makes where there is none. Throws when that fails.
  TrustedKey();
  // Has the kernel unseal it.
  bool load();

 private:
  std::string blob_;
  unsigned number_ = 0;
};

}  // namespace tbs::test
