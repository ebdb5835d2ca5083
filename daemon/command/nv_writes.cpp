#include "daemon/command/nv_writes.h"

#include <algorithm>
#include <array>

#include "proto/tpm/constants.h"

namespace tbs {

bool writes_nv(std::uint32_t command_code) {
  constexpr std::array kWriting = {
      // The client's own memory there.
      TPM2_CC_NV_DefineSpace, tpm::cc::kNvDefineSpace2, TPM2_CC_NV_UndefineSpace,
      TPM2_CC_NV_UndefineSpaceSpecial, TPM2_CC_NV_Write, TPM2_CC_NV_Increment, TPM2_CC_NV_Extend,
      TPM2_CC_NV_SetBits, TPM2_CC_NV_WriteLock, TPM2_CC_NV_GlobalWriteLock, TPM2_CC_NV_ReadLock,
      TPM2_CC_NV_ChangeAuth, TPM2_CC_EvictControl,
      // The TPM's.
      TPM2_CC_Clear, TPM2_CC_ClearControl, TPM2_CC_ChangeEPS, TPM2_CC_ChangePPS,
      TPM2_CC_HierarchyChangeAuth, TPM2_CC_HierarchyControl, TPM2_CC_SetPrimaryPolicy,
      TPM2_CC_ClockSet, TPM2_CC_DictionaryAttackLockReset, TPM2_CC_DictionaryAttackParameters,
      TPM2_CC_PCR_Allocate, TPM2_CC_PCR_SetAuthPolicy, TPM2_CC_PP_Commands, TPM2_CC_SetAlgorithmSet,
      TPM2_CC_SetCommandCodeAuditStatus};
  return std::ranges::find(kWriting, command_code) != kWriting.end();
}

}  // namespace tbs
