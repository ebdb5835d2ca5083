#include "daemon/tpm12/command_class.h"

#include <algorithm>
#include <array>

#include "proto/tpm12/constants.h"
#include "proto/tpm12/ordinal_table.h"

namespace tbs::tpm12 {
namespace {

using std::chrono::seconds;

constexpr seconds kQuick{20};
constexpr seconds kOrdinary{60};
constexpr seconds kLong{600};

constexpr std::array kQuickCommands = {
    ord::kExtend,        ord::kPcrRead,   ord::kGetRandom,     ord::kGetTestResult,
    ord::kGetCapability, ord::kReadPubek, ord::kFlushSpecific, ord::kGetTicks,
};

// Searches for primes, self-tests, and what wipes storage or writes firmware; and whatever may be
// inside a transport session.
constexpr std::array kLongCommands = {
    ord::kTakeOwnership,    ord::kCmkCreateKey,
    ord::kCreateWrapKey,    ord::kSelfTestFull,
    ord::kContinueSelfTest, ord::kOwnerClear,
    ord::kForceClear,       ord::kCreateEndorsementKeyPair,
    ord::kMakeIdentity,     ord::kCreateRevocableEk,
    ord::kRevokeTrust,      ord::kFieldUpgrade,
    ord::kExecuteTransport,
};

}  // namespace

seconds deadline_of(std::uint32_t ordinal) {
  if (find_ordinal(ordinal) == nullptr) return kLong;
  if (std::ranges::find(kLongCommands, ordinal) != kLongCommands.end()) return kLong;
  if (std::ranges::find(kQuickCommands, ordinal) != kQuickCommands.end()) return kQuick;
  return kOrdinary;
}

}  // namespace tbs::tpm12
