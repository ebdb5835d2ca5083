#include "proto/rules/profiles.h"

#include <array>
#include <span>
#include <string>

#include "proto/tpm12/ordinals.h"

namespace tbs::rules {
namespace {

namespace ord = tpm12::ord;

// What changes the platform for everybody, beyond what the owner's authorization protects, is for
// administrators; it is for the daemon alone to start and stop the TPM.
constexpr std::string_view kLinux =
    "block user command Clear,ClearControl,HierarchyControl,HierarchyChangeAuth,SetPrimaryPolicy\n"
    "block user command ChangeEPS,ChangePPS,PP_Commands,SetAlgorithmSet,SetCommandCodeAuditStatus\n"
    "block user command FieldUpgradeStart,FieldUpgradeData,PCR_Allocate,PCR_SetAuthPolicy\n"
    "block user command GetCommandAuditDigest\n"
    "block user command ClockSet,ClockRateAdjust,NV_GlobalWriteLock,NV_UndefineSpaceSpecial\n"
    "block user command DictionaryAttackLockReset,DictionaryAttackParameters\n"
    "block user command SetCapability,ReadOnlyControl,ACT_SetTimeout\n"
    "block user command Startup,Shutdown\n";
// The counterparts of TPM 1.2, which rules know by number.
constexpr std::array kLinux12 = {
    ord::kForceClear,     ord::kOwnerClear,      ord::kSetOwnerInstall,
    ord::kPhysicalEnable, ord::kPhysicalDisable, ord::kPhysicalSetDeactivated,
    ord::kFieldUpgrade,   ord::kSetOperatorAuth, ord::kInit,
    ord::kSaveState,      ord::kStartup,
};

// What Windows has been seen to block. Saving and loading contexts is among it, for all: programs
// that do so on Linux fail on Windows.
constexpr std::string_view kWindows =
    "block everybody command ContextSave,ContextLoad,Startup,SelfTest\n"
    "block everybody command EncryptDecrypt,EncryptDecrypt2\n"
    "block everybody command AC_GetCapability,AC_Send,Policy_AC_SendSelect\n"
    "block user command NV_DefineSpace,EvictControl\n";
constexpr std::array kWindows12 = {
    ord::kChangeAuthAsymStart,
    ord::kChangeAuthAsymFinish,
    ord::kDirWriteAuth,
    ord::kDirRead,
    ord::kLoadKey,
    ord::kEvictKey,
    ord::kCertifySelfTest,
    ord::kReset,
    ord::kGetCapabilitySigned,
    ord::kGetCapabilityOwner,
    ord::kOwnerReadPubek,
    ord::kDisablePubekRead,
    ord::kGetAuditEvent,
    ord::kGetAuditEventSigned,
    ord::kGetOrdinalAuditStatus,
    ord::kTerminateHandle,
    ord::kSaveKeyContext,
    ord::kLoadKeyContext,
    ord::kSaveAuthContext,
    ord::kLoadAuthContext,
};

std::string with_ordinals(std::string_view rules, std::string_view who,
                          std::span<const std::uint32_t> ordinals) {
  std::string text(rules);
  text += "block " + std::string(who) + " command ";
  for (const std::uint32_t ordinal : ordinals) text += std::to_string(ordinal) + ",";
  text.back() = '\n';
  return text;
}

}  // namespace

std::optional<std::string_view> profile_text(std::string_view name) {
  static const std::string linux_rules = with_ordinals(kLinux, "user", kLinux12);
  static const std::string windows_rules = with_ordinals(kWindows, "everybody", kWindows12);
  if (name == "linux") return linux_rules;
  if (name == "windows") return windows_rules;
  if (name == "none") return "";
  return std::nullopt;
}

}  // namespace tbs::rules
