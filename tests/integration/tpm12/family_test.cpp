// Which contexts a TPM 1.2 is for: those of version one, which know nothing else, and those of
// version two that ask for it.

#include "tests/integration/tpm12/tpm12_bench.h"
#include "tests/support/catch2.h"

using namespace tbs::test;

namespace {

TBS_RESULT create(UINT32 version, UINT32 wanted) {
  TBS_CONTEXT_PARAMS2 parameters{};
  parameters.version = version;
  parameters.asUINT32 = wanted;
  TBS_HCONTEXT context = nullptr;
  const TBS_RESULT result =
      Tbsi_Context_Create(reinterpret_cast<const TBS_CONTEXT_PARAMS*>(&parameters), &context);
  CHECK((context != nullptr) == (result == TBS_SUCCESS));
  if (result == TBS_SUCCESS) CHECK(Tbsip_Context_Close(context) == TBS_SUCCESS);
  return result;
}

constexpr UINT32 kTpm12 = 2;
constexpr UINT32 kTpm20 = 4;

}  // namespace

TEST_CASE("contexts for a TPM 1.2") {
  Tpm12Bench bench;
  CHECK(create(TBS_CONTEXT_VERSION_ONE, 0) == TBS_SUCCESS);
  // A structure of version one has no flags: what lies behind it is not read.
  CHECK(create(TBS_CONTEXT_VERSION_ONE, kTpm20) == TBS_SUCCESS);
  CHECK(create(TBS_CONTEXT_VERSION_TWO, kTpm12) == TBS_SUCCESS);
  CHECK(create(TBS_CONTEXT_VERSION_TWO, kTpm12 | kTpm20) == TBS_SUCCESS);
  CHECK(create(TBS_CONTEXT_VERSION_TWO, kTpm20) == TBS_E_TPM_NOT_FOUND);
  CHECK(create(TBS_CONTEXT_VERSION_TWO, 0) == TBS_E_INVALID_CONTEXT_PARAM);
  CHECK(create(3, kTpm12) == TBS_E_INVALID_CONTEXT_PARAM);

  TPM_DEVICE_INFO info{};
  REQUIRE(Tbsi_GetDeviceInfo(sizeof info, &info) == TBS_SUCCESS);
  CHECK(info.structVersion == 1);
  CHECK(info.tpmVersion == TPM_VERSION_12);
}
