#pragma once

// The time by which failed authorizations are forgotten: seconds that nobody can set, and that go
// on over a restart of the daemon and of the machine.
//
// While the machine is up it is the time since its start. What has passed between the last failure
// that was written down and a later start of the machine is known to nobody for certain: the TPM
// has counted while it had power, and the wall clock says something. The longer of both counts, so
// that nobody is locked out for longer than the window because the machine was off. A wall clock
// that is wrong can only let a user go early, and the TPM's own counter is then what holds.

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/machine_time.h"

namespace tbs::policy {

class LockoutTime {
 public:
  // `boot` names this start of the machine; empty: unknown.
  explicit LockoutTime(std::string boot) : boot_(std::move(boot)) {}

  [[nodiscard]] std::uint64_t now(const MachineTime& machine) const {
    return base_ + machine.since_boot;
  }
  // The TPM's own clock: milliseconds for which it had power.
  void learn_tpm_clock(std::uint64_t milliseconds, const MachineTime& machine);

  // One line.
  [[nodiscard]] std::string to_text(const MachineTime& machine) const;
  // Goes on from what to_text() has said. False when this is no such line.
  bool restore(std::string_view line, const MachineTime& machine);

  // Within one start of the machine.
  template <typename Record>
  void fields(Record& record) {
    std::string boot = boot_;
    record(boot, base_, tpm_learnt_, tpm_learnt_at_, restored_time_, restored_tpm_);
    if constexpr (Record::kReads) {
      record.require(boot == boot_, "it is from another start of the machine");
    }
  }

 private:
  // Failures lie before it, and must not be before the beginning of time.
  static constexpr std::uint64_t kOrigin = 1'000'000'000;

  [[nodiscard]] std::uint64_t tpm_seconds(const MachineTime& machine) const;

  std::string boot_;
  std::uint64_t base_ = kOrigin;  // the time when the machine was started; wraps around

  std::uint64_t tpm_learnt_ = 0;     // seconds of the TPM's clock; 0: it has not said
  std::uint64_t tpm_learnt_at_ = 0;  // since boot

  // From before this start of the machine, until the TPM's clock is known.
  std::uint64_t restored_time_ = 0;
  std::uint64_t restored_tpm_ = 0;
};

}  // namespace tbs::policy
