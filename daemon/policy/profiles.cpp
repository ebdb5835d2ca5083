#include "daemon/policy/profiles.h"

namespace tbs::policy {
namespace {

// What changes the platform for everybody, beyond what the owner's authorization protects, is for
// administrators; it is for the daemon alone to start and stop the TPM. By number: TPM 1.2's
// counterparts (ForceClear, OwnerClear, SetOwnerInstall, PhysicalEnable, PhysicalDisable,
// PhysicalSetDeactivated, FieldUpgrade, SetOperatorAuth, Init, SaveState, Startup).
constexpr std::string_view kLinux =
    "block user command Clear,ClearControl,HierarchyControl,HierarchyChangeAuth,SetPrimaryPolicy\n"
    "block user command ChangeEPS,ChangePPS,PP_Commands,SetAlgorithmSet,SetCommandCodeAuditStatus\n"
    "block user command FieldUpgradeStart,FieldUpgradeData,PCR_Allocate,PCR_SetAuthPolicy\n"
    "block user command GetCommandAuditDigest\n"
    "block user command ClockSet,ClockRateAdjust,NV_GlobalWriteLock,NV_UndefineSpaceSpecial\n"
    "block user command DictionaryAttackLockReset,DictionaryAttackParameters\n"
    "block user command SetCapability,ReadOnlyControl,ACT_SetTimeout\n"
    "block user command Startup,Shutdown\n"
    "block user command 0x5d,0x5b,0x71,0x6f,0x70,0x72,0xaa,0x74,0x97,0x98,0x99\n";

// What Windows has been seen to block. Saving and loading contexts is among it, for all: programs
// that do so on Linux fail on Windows.
constexpr std::string_view kWindows =
    "block everybody command ContextSave,ContextLoad,Startup,SelfTest\n"
    "block everybody command EncryptDecrypt,EncryptDecrypt2\n"
    "block everybody command AC_GetCapability,AC_Send,Policy_AC_SendSelect\n"
    "block everybody command 14,15,25,26,32,34,82,90,100,102,125,126,130,131,140,150,180-183\n"
    "block user command NV_DefineSpace,EvictControl\n";

}  // namespace

std::optional<std::string_view> profile_text(std::string_view name) {
  if (name == "linux") return kLinux;
  if (name == "windows") return kWindows;
  if (name == "none") return "";
  return std::nullopt;
}

}  // namespace tbs::policy
