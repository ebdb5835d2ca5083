#include "daemon/tpm/command_info.h"

#include <algorithm>
#include <array>

#include "proto/tpm/constants.h"

namespace tbs::tpm {
namespace {

// A TPM has three slots at least, so a command can never need more than these for itself.
constexpr std::uint8_t kMaxWorkingSlots = 3;

CommandInfo from_attributes(std::uint32_t attributes) {
  return {.code = attributes & (TPMA_CC_COMMANDINDEX_MASK | cc::kVendorBit),
          .handles = static_cast<std::uint8_t>((attributes & TPMA_CC_CHANDLES_MASK) >>
                                               TPMA_CC_CHANDLES_SHIFT),
          .returns_handle = (attributes & TPMA_CC_RHANDLE) != 0,
          .flushes_handles = (attributes & TPMA_CC_FLUSHED) != 0,
          .extensive = (attributes & TPMA_CC_EXTENSIVE) != 0};
}

constexpr std::array kFlushing = {cc::kSequenceComplete, cc::kEventSequenceComplete};
constexpr std::array kExtensiveCommands = {cc::kClear, cc::kHierarchyControl, cc::kChangeEps,
                                           cc::kChangePps};
constexpr std::array kReturning = {
    cc::kCreatePrimary, cc::kLoad,      cc::kLoadExternal,      cc::kContextLoad,
    cc::kCreateLoaded,  cc::kHmacStart, cc::kHashSequenceStart, cc::kStartAuthSession,
};

constexpr bool contains(auto const& list, std::uint32_t code) {
  return std::ranges::find(list, code) != list.end();
}

void add_static_facts(CommandInfo& info) {
  if (contains(kFlushing, info.code)) info.flushes_handles = true;
  if (contains(kExtensiveCommands, info.code)) info.extensive = true;
  if (contains(kReturning, info.code)) info.returns_handle = true;
  // The reference implementation builds the new key in a slot, then exports it.
  if (info.code == cc::kCreate) info.working_slots = 1;
}

}  // namespace

void CommandTable::load(std::span<const std::uint32_t> attributes) {
  rows_.clear();
  rows_.reserve(attributes.size());
  for (const std::uint32_t word : attributes) {
    rows_.push_back(from_attributes(word));
    add_static_facts(rows_.back());
  }
  std::ranges::sort(rows_, {}, &CommandInfo::code);
  const auto repeated = std::ranges::unique(rows_, {}, &CommandInfo::code);
  rows_.erase(repeated.begin(), repeated.end());
}

std::size_t CommandTable::position(std::uint32_t code) const {
  const auto row = std::ranges::lower_bound(rows_, code, {}, &CommandInfo::code);
  if (row == rows_.end() || row->code != code) return rows_.size();
  return static_cast<std::size_t>(row - rows_.begin());
}

const CommandInfo* CommandTable::find(std::uint32_t code) const {
  const std::size_t at = position(code);
  return at == rows_.size() ? nullptr : &rows_[at];
}

void CommandTable::raise_working_slots(std::uint32_t code) {
  const std::size_t at = position(code);
  if (at == rows_.size()) return;
  rows_[at].working_slots = std::min<std::uint8_t>(
      static_cast<std::uint8_t>(rows_[at].working_slots + 1), kMaxWorkingSlots);
}

}  // namespace tbs::tpm
