#include "daemon/server/state_changes.h"

#include <array>
#include <map>
#include <span>
#include <string_view>

#include "proto/command_names.h"
#include "proto/limits.h"

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

constexpr std::array<std::string_view, 3> kPcrs = {"PCR_Extend", "PCR_Event", "PCR_Reset"};
// Extend, PCR_Reset
constexpr std::array<std::uint32_t, 2> kPcrs12 = {0x14, 0xC8};
constexpr std::array<std::string_view, 4> kNvs = {"NV_Write", "NV_Increment", "NV_Extend",
                                                  "NV_SetBits"};
// NV_WriteValue, NV_WriteValueAuth
constexpr std::array<std::uint32_t, 2> kNvs12 = {0xCD, 0xCE};

using Changes = std::map<std::uint32_t, Change>;

void add(Changes& changes, std::span<const std::string_view> names, Change change) {
  for (const std::string_view name : names) {
    if (const auto code = proto::command_code(name)) changes.emplace(*code, change);
  }
}

void add(Changes& changes, std::span<const std::uint32_t> ordinals, Change change) {
  for (const std::uint32_t ordinal : ordinals) changes.emplace(ordinal, change);
}

Changes changes_of(Family family) {
  Changes changes;
  if (family == Family::Tpm12) {
    add(changes, kChanges12, Change::State);
    add(changes, kPcrs12, Change::Pcr);
    add(changes, kNvs12, Change::Nv);
  } else {
    add(changes, kChanges, Change::State);
    add(changes, kPcrs, Change::Pcr);
    add(changes, kNvs, Change::Nv);
  }
  return changes;
}

}  // namespace

// Asked for every command, so names are looked up once.
Change change_of(Family family, std::uint32_t command) {
  static const Changes tpm12 = changes_of(Family::Tpm12);
  static const Changes tpm20 = changes_of(Family::Tpm20);
  const Changes& changes = family == Family::Tpm12 ? tpm12 : tpm20;
  const auto found = changes.find(command);
  return found == changes.end() ? Change::None : found->second;
}

std::uint32_t changed_handle(Family family, Change change, proto::Bytes command) {
  proto::ByteReader reader(command);
  reader.skip(proto::kTpmHeaderSize);
  // Before an NV index a TPM 2.0 has the handle of who authorizes.
  if (change == Change::Nv && family == Family::Tpm20) reader.skip(4);
  return reader.be32();
}

}  // namespace tbs::server
