#include "daemon/command/command_kind.h"

#include "proto/tpm/constants.h"
#include "proto/tpm12/ordinals.h"
#include "tests/support/catch2.h"

using namespace tbs;

TEST_CASE("commands of both families have a kind", "[command]") {
  CHECK(kind_of(TPM2_CC_CreatePrimary) == CommandKind::Create);
  CHECK(kind_of(TPM2_CC_Sign) == CommandKind::Key);
  CHECK(kind_of(TPM2_CC_PolicyPCR) == CommandKind::Session);
  CHECK(kind_of(TPM2_CC_NV_Read) == CommandKind::Nv);
  CHECK(kind_of(TPM2_CC_PCR_Extend) == CommandKind::Pcr);
  CHECK(kind_of(TPM2_CC_GetRandom) == CommandKind::Random);
  CHECK(kind_of(TPM2_CC_GetCapability) == CommandKind::Information);
  CHECK(kind_of(TPM2_CC_Clear) == CommandKind::Other);
  CHECK(kind_of(tpm12::ord::kSeal) == CommandKind::Key);
  CHECK(kind_of(tpm12::ord::kExtend) == CommandKind::Pcr);
  CHECK(kind_of(tpm12::ord::kTakeOwnership) == CommandKind::Other);
  CHECK(kind_of(0) == CommandKind::Other);
  CHECK(kind_of(0xFFFFFFFF) == CommandKind::Other);
}

TEST_CASE("what is not listed are commands about the TPM as a whole", "[command]") {
  int others = 0;
  for (std::uint32_t code = TPM2_CC_FIRST; code <= TPM2_CC_PolicyTemplate; ++code) {
    if (kind_of(code) == CommandKind::Other) ++others;
  }
  // Of 120 numbers and more: hierarchies, clocks, self-tests, firmware, and gaps.
  CHECK(others < 40);
}
