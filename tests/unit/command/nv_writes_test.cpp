#include "daemon/command/nv_writes.h"

#include "proto/tpm/constants.h"
#include "proto/tpm12/ordinals.h"
#include "tests/support/catch2.h"

using namespace tbs;

TEST_CASE("what writes to the flash is told from what reads it, or leaves it alone", "[command]") {
  for (const std::uint32_t code :
       {TPM2_CC_NV_Write, TPM2_CC_NV_Increment, TPM2_CC_NV_DefineSpace, TPM2_CC_EvictControl,
        TPM2_CC_Clear, TPM2_CC_HierarchyChangeAuth}) {
    CHECK(writes_nv(code));
  }
  for (const std::uint32_t code :
       {TPM2_CC_NV_Read, TPM2_CC_NV_ReadPublic, TPM2_CC_PCR_Extend, TPM2_CC_Sign, TPM2_CC_GetRandom,
        TPM2_CC_ContextSave, std::uint32_t{tpm12::ord::kNvWriteValue}}) {
    CHECK_FALSE(writes_nv(code));
  }
}
