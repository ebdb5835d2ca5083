#pragma once

// The kernel's TPM from a program that does not use the daemon, and where the kernel shows it.

#include <cstdint>
#include <filesystem>

#include "proto/byte_writer.h"

namespace tbs::test {

// Its folder in sysfs.
std::filesystem::path chip();

// A program that uses the kernel's own resource manager.
class KernelClient {
 public:
  // Throws when the node cannot be opened.
  KernelClient();
  ~KernelClient();
  KernelClient(const KernelClient&) = delete;
  KernelClient& operator=(const KernelClient&) = delete;

  // Empty when the kernel refuses, as it does with EFAULT where the TPM has no slot left.
  [[nodiscard]] proto::Buffer run(const proto::Buffer& command) const;
  [[nodiscard]] bool succeeds(const proto::Buffer& command) const;
  // The handle of what the command creates; 0 when it does not.
  [[nodiscard]] std::uint32_t create(const proto::Buffer& command) const;

 private:
  int node_ = -1;
};

// Has the kernel take the random numbers of /dev/hwrng from the TPM. False where it does not offer
// that.
bool choose_tpm_random();

}  // namespace tbs::test
