#include "daemon/policy/lockout_time.h"

#include <algorithm>
#include <sstream>
#include <utility>

namespace tbs::policy {
namespace {

constexpr std::string_view kHeading = "time";
constexpr std::string_view kUnknownBoot = "-";
// A clock that says more is wrong by as much.
constexpr std::uint64_t kLongestGap = std::uint64_t{10} * 365 * 24 * 3600;

std::uint64_t passed(std::uint64_t from, std::uint64_t to) {
  return std::min(to - std::min(from, to), kLongestGap);
}

}  // namespace

void LockoutTime::learn_tpm_clock(std::uint64_t milliseconds, const MachineTime& machine) {
  tpm_learnt_ = milliseconds / 1000;
  tpm_learnt_at_ = machine.since_boot;
  if (restored_tpm_ == 0) return;
  const std::uint64_t by_tpm = passed(std::exchange(restored_tpm_, 0), tpm_learnt_);
  const std::uint64_t by_us = now(machine) - restored_time_;
  if (by_tpm > by_us) base_ += by_tpm - by_us;
}

std::uint64_t LockoutTime::tpm_seconds(const MachineTime& machine) const {
  return tpm_learnt_ == 0 ? 0 : tpm_learnt_ + passed(tpm_learnt_at_, machine.since_boot);
}

std::string LockoutTime::to_text(const MachineTime& machine) const {
  std::string line(kHeading);
  for (const std::uint64_t number :
       {now(machine), machine.since_boot, machine.wall, tpm_seconds(machine)}) {
    line += " " + std::to_string(number);
  }
  return line + " " + (boot_.empty() ? std::string(kUnknownBoot) : boot_) + "\n";
}

bool LockoutTime::restore(std::string_view line, const MachineTime& machine) {
  std::istringstream words{std::string(line)};
  std::string heading;
  std::string boot;
  std::uint64_t time = 0;
  MachineTime then;
  std::uint64_t tpm = 0;
  words >> heading >> time >> then.since_boot >> then.wall >> tpm >> boot;
  if (!words || heading != kHeading || time < kOrigin || time > kOrigin + kLongestGap * 10) {
    return false;
  }
  if (boot == boot_ && then.since_boot <= machine.since_boot) {
    base_ = time - then.since_boot;
    return true;
  }
  base_ = time + passed(then.wall, machine.wall) - machine.since_boot;
  restored_time_ = time;
  restored_tpm_ = tpm;
  return true;
}

}  // namespace tbs::policy
