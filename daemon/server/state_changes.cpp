#include "daemon/server/state_changes.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "proto/command_names.h"

namespace tbs::server {
namespace {

// Commands that change the TPM for everybody: names of TPM 2.0, ordinals of TPM 1.2 (OwnerClear,
// ForceClear, TakeOwnership, NV_DefineSpace, SetOwnerInstall, PhysicalEnable, PhysicalDisable).
constexpr std::array<std::string_view, 22> kChanges = {"Clear",
                                                       "ClearControl",
                                                       "HierarchyControl",
                                                       "SetPrimaryPolicy",
                                                       "ChangeEPS",
                                                       "ChangePPS",
                                                       "HierarchyChangeAuth",
                                                       "NV_DefineSpace",
                                                       "NV_UndefineSpace",
                                                       "NV_UndefineSpaceSpecial",
                                                       "NV_GlobalWriteLock",
                                                       "EvictControl",
                                                       "PCR_Allocate",
                                                       "PCR_SetAuthPolicy",
                                                       "SetAlgorithmSet",
                                                       "FieldUpgradeStart",
                                                       "DictionaryAttackLockReset",
                                                       "DictionaryAttackParameters",
                                                       "ClockSet",
                                                       "PP_Commands",
                                                       "NV_DefineSpace2",
                                                       "SetCommandCodeAuditStatus"};
constexpr std::array<std::uint32_t, 7> kChanges12 = {0x5B, 0x5D, 0x0D, 0xCC, 0x71, 0x6F, 0x70};

std::vector<std::uint32_t> codes_of(std::span<const std::string_view> names) {
  std::vector<std::uint32_t> codes;
  for (const std::string_view name : names) {
    if (const auto code = proto::command_code(name)) codes.push_back(*code);
  }
  std::ranges::sort(codes);
  return codes;
}

}  // namespace

// Asked for every command, so names are looked up once.
bool changes_state(Family family, std::uint32_t command) {
  if (family == Family::Tpm12) return std::ranges::find(kChanges12, command) != kChanges12.end();
  static const std::vector<std::uint32_t> codes = codes_of(kChanges);
  return std::ranges::binary_search(codes, command);
}

}  // namespace tbs::server
