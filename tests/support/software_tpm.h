#pragma once

// A real TPM in the test's own process: libtpms, run synchronously, with its state in memory. The
// library is global, so there is one of these at a time.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace tbs::test {

class SoftwareTpm {
 public:
  enum class Family { Tpm20, Tpm12 };

  using Flash = std::map<std::string, std::vector<std::uint8_t>>;

  // A TPM that was just powered on, and not started: for the first time, or with what another one
  // had in its flash.
  explicit SoftwareTpm(Family family = Family::Tpm20, Flash contents = {});
  ~SoftwareTpm();
  SoftwareTpm(const SoftwareTpm&) = delete;
  SoftwareTpm& operator=(const SoftwareTpm&) = delete;

  std::vector<std::uint8_t> run(std::span<const std::uint8_t> command);
  // Off and on again: what was not in its flash is gone.
  void power_cycle();
  [[nodiscard]] static Flash flash();

 private:
  Family family_;
};

}  // namespace tbs::test
