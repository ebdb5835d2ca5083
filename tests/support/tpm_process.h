#pragma once

// A software TPM in a process of its own, with the same seeds as one in this process: what both
// compute from a template is the same. libtpms is global, so this is how a test gets several TPMs.

#include <cstdint>
#include <span>
#include <vector>

#include <sys/types.h>

#include "tests/support/software_tpm.h"

namespace tbs::test {

class TpmProcess {
 public:
  // A copy of `chip` as it would be after power-on, and started.
  explicit TpmProcess(SoftwareTpm& chip);
  ~TpmProcess();
  TpmProcess(const TpmProcess&) = delete;
  TpmProcess& operator=(const TpmProcess&) = delete;

  std::vector<std::uint8_t> run(std::span<const std::uint8_t> command);

 private:
  pid_t child_ = -1;
  int socket_ = -1;
};

}  // namespace tbs::test
