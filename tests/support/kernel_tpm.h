#pragma once

// The kernel's /dev/tpm0, run synchronously: the TPM of the guest that tests/guest boots. It cannot
// be powered off; what a test leaves in it is removed when the next one begins.

#include <cstdint>
#include <span>
#include <vector>

namespace tbs::test {

class KernelTpm {
 public:
  // Throws when the device cannot be opened. The TPM is cleared.
  KernelTpm();
  ~KernelTpm();
  KernelTpm(const KernelTpm&) = delete;
  KernelTpm& operator=(const KernelTpm&) = delete;

  // Empty when the device failed.
  std::vector<std::uint8_t> run(std::span<const std::uint8_t> command);

 private:
  int node_ = -1;
};

}  // namespace tbs::test
