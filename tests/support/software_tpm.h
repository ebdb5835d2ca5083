#pragma once

// A real TPM in the test's own process: libtpms, run synchronously, with its state in memory. The
// library is global, so there is one of these at a time.

#include <cstdint>
#include <span>
#include <vector>

namespace tbs::test {

class SoftwareTpm {
 public:
  enum class Family { Tpm20, Tpm12 };

  // A TPM that was just powered on for the first time, and not started.
  explicit SoftwareTpm(Family family = Family::Tpm20);
  ~SoftwareTpm();
  SoftwareTpm(const SoftwareTpm&) = delete;
  SoftwareTpm& operator=(const SoftwareTpm&) = delete;

  std::vector<std::uint8_t> run(std::span<const std::uint8_t> command);
  // Off and on again: what was not in its flash is gone.
  void power_cycle();

 private:
  Family family_;
};

}  // namespace tbs::test
