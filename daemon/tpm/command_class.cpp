#include "daemon/tpm/command_class.h"

#include <algorithm>
#include <array>

#include "proto/tpm/constants.h"

namespace tbs::tpm {
namespace {

using std::chrono::seconds;

// Answers from the chip's memory: a chip that needs seconds for them is hung. Still generous,
// since a busy virtual machine can stand still that long.
constexpr seconds kQuick{20};
// One or two private key operations, flash writes, self-tests on first use.
constexpr seconds kOrdinary{60};
// Searches for primes, and the commands that make new seeds, wipe storage or write firmware.
constexpr seconds kLong{600};

constexpr std::array kQuickCommands = {
    cc::kStirRandom, cc::kGetCapability, cc::kGetRandom,    cc::kGetTestResult,
    cc::kPcrRead,    cc::kReadClock,     cc::kFlushContext, cc::kReadPublic,
};

constexpr std::array kLongCommands = {
    cc::kChangeEps,        cc::kChangePps,        cc::kClear,
    cc::kPcrAllocate,      cc::kCreatePrimary,    cc::kSetAlgorithmSet,
    cc::kCreate,           cc::kCreateLoaded,     cc::kFieldUpgradeStart,
    cc::kFieldUpgradeData, cc::kHierarchyControl, cc::kSelfTest,
};

}  // namespace

seconds deadline_of(std::uint32_t command_code) {
  if (command_code < cc::kFirst || command_code > cc::kLast) return kLong;
  if (std::ranges::find(kLongCommands, command_code) != kLongCommands.end()) return kLong;
  if (std::ranges::find(kQuickCommands, command_code) != kQuickCommands.end()) return kQuick;
  return kOrdinary;
}

}  // namespace tbs::tpm
