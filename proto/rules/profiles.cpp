#include "proto/rules/profiles.h"

#include <array>
#include <span>
#include <string>

#include "proto/tpm12/ordinals.h"

namespace tbs::rules {
namespace {

namespace ord = tpm12::ord;

// For administrators are: what changes the platform for everybody, beyond what the owner's
// authorization protects; the PCRs that measure the machine, all but the one for debugging and the
// one for applications; what the vendor has added, of which nothing is known; what the platform's
// or the lockout authorization stands behind, so that nobody else can try them; and what somebody
// else made. It is for the daemon alone to start and stop the TPM: programs that begin or end with
// that are answered as if it had just been done.
constexpr std::string_view kLinux =
    "block user command Clear,ClearControl,HierarchyControl,HierarchyChangeAuth,SetPrimaryPolicy\n"
    "block user command ChangeEPS,ChangePPS,PP_Commands,SetAlgorithmSet,SetCommandCodeAuditStatus\n"
    "block user command FieldUpgradeStart,FieldUpgradeData,GetCommandAuditDigest\n"
    "block user command PCR_Allocate,PCR_SetAuthPolicy,PCR_SetAuthValue\n"
    "block user command PCR_Extend,PCR_Event,PCR_Reset,EventSequenceComplete pcr 0-15,17-22,24-\n"
    "block user command ClockSet,ClockRateAdjust,NV_GlobalWriteLock,NV_UndefineSpaceSpecial\n"
    "block user command DictionaryAttackLockReset,DictionaryAttackParameters\n"
    "block user command SetCapability,ReadOnlyControl,ACT_SetTimeout\n"
    "ignore user command Startup,Shutdown\n"
    "block user command 0x20000000-\n"
    "block user hierarchy lockout,platform\n"
    "block user command NV_UndefineSpace,EvictControl owner other\n"
    "block user command NV_Write,NV_Increment,NV_Extend,NV_SetBits,NV_WriteLock,NV_ReadLock owner "
    "other\n";

// The counterparts of TPM 1.2, which rules know by number.
constexpr std::array kPlatform12 = {
    ord::kForceClear,
    ord::kOwnerClear,
    ord::kDisableForceClear,
    ord::kDisableOwnerClear,
    ord::kSetOwnerInstall,
    ord::kPhysicalEnable,
    ord::kPhysicalDisable,
    ord::kOwnerSetDisable,
    ord::kPhysicalSetDeactivated,
    ord::kFieldUpgrade,
    ord::kSetOperatorAuth,
    ord::kSetTempDeactivated,
    ord::kRevokeTrust,
    ord::kSetRedirection,
    ord::kSetOrdinalAuditStatus,
    ord::kResetLockValue,
    ord::kLoadManuMaintPub,
    ord::kKillMaintenanceFeature,
    ord::kInit,
};
constexpr std::array kStart12 = {ord::kStartup, ord::kSaveState};
constexpr std::array kPcrs12 = {ord::kExtend, ord::kSha1CompleteExtend, ord::kPcrReset};
constexpr std::array kNv12 = {ord::kNvDefineSpace, ord::kNvWriteValue, ord::kNvWriteValueAuth};
constexpr std::array kByOwner12 = {ord::kNvDefineSpace, ord::kNvWriteValue};

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

// `conditions` begin with a blank.
std::string rule12(std::string_view who, std::span<const std::uint32_t> ordinals,
                   std::string_view conditions = {}, std::string_view verb = "block") {
  std::string text = std::string(verb) + " " + std::string(who) + " command ";
  for (const std::uint32_t ordinal : ordinals) text += std::to_string(ordinal) + ",";
  text.pop_back();
  return text + std::string(conditions) + "\n";
}

std::string linux_text() {
  return std::string(kLinux) + rule12("user", kPlatform12) +
         rule12("user", kStart12, {}, "ignore") + rule12("user", kPcrs12, " pcr 0-15,17-22,24-") +
         // Two numbers that stand for all indices: they lock them.
         rule12("user", kNv12, " nv 0,0xffffffff") + rule12("user", kByOwner12, " owner other");
}

std::string windows_text() {
  return std::string(kWindows) + rule12("everybody", kWindows12);
}

}  // namespace

std::optional<std::string_view> profile_text(std::string_view name) {
  static const std::string linux_rules = linux_text();
  static const std::string windows_rules = windows_text();
  if (name == "linux") return linux_rules;
  if (name == "windows") return windows_rules;
  if (name == "none") return "";
  return std::nullopt;
}

}  // namespace tbs::rules
