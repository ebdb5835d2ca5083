#pragma once

// The TPM that a test of the resource manager runs on: one in the test's own process, or, where
// TBS_TEST_DEVICE says `kernel`, the one behind /dev/tpm0.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tests/support/kernel_tpm.h"
#include "tests/support/software_tpm.h"

namespace tbs::test {

class TestChip {
 public:
  TestChip();

  std::vector<std::uint8_t> run(std::span<const std::uint8_t> command);
  // For what the kernel's TPM cannot do: tests that need it are tagged [power].
  SoftwareTpm& software() { return software_.value(); }
  void power_cycle() { software().power_cycle(); }

 private:
  std::optional<SoftwareTpm> software_;
  std::optional<KernelTpm> kernel_;
};

}  // namespace tbs::test
