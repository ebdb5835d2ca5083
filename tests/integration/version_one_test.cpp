// Contexts of version one, and what else differs with a TPM 1.2, through libtbs.

#include "client/include/tbs/tbsx.h"
#include "proto/tpm12/commands.h"
#include "tests/integration/support/daemon_process.h"
#include "tests/integration/support/raw_client.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;

namespace {

tpm::Buffer submit(TBS_HCONTEXT context, const tpm::Buffer& command) {
  tpm::Buffer response(4096);
  UINT32 size = 4096;
  REQUIRE(Tbsip_Submit_Command(context, 0, TBS_COMMAND_PRIORITY_NORMAL, command.data(),
                               static_cast<UINT32>(command.size()), response.data(),
                               &size) == TBS_SUCCESS);
  response.resize(size);
  return response;
}

// TPM_PCRRead of PCR 12.
const tpm::Buffer kReadPcr12 = tbs::tpm12::build::pcr_read(12);

}  // namespace

TEST_CASE("version one opens a context on a TPM 1.2, and version two says what it can use") {
  TempFolder folder;
  DaemonProcess daemon(folder,
                       {.device = "embedded12", .arguments = {"--state-dir=" + folder.path()}});
  daemon.wait_until_listening();
  Tbsx_Set_Socket(daemon.socket().c_str());

  const TBS_CONTEXT_PARAMS one{TBS_CONTEXT_VERSION_ONE};
  TBS_HCONTEXT context = nullptr;
  REQUIRE(Tbsi_Context_Create(&one, &context) == TBS_SUCCESS);
  TPM_DEVICE_INFO info{};
  REQUIRE(Tbsi_GetDeviceInfo(sizeof info, &info) == TBS_SUCCESS);
  CHECK(info.tpmVersion == TPM_VERSION_12);

  TBS_CONTEXT_PARAMS2 two{.version = TBS_CONTEXT_VERSION_TWO, .asUINT32 = 4};
  TBS_HCONTEXT other = nullptr;
  const auto* generic = reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&two);
  CHECK(Tbsi_Context_Create(generic, &other) == TBS_E_TPM_NOT_FOUND);
  two.asUINT32 = 6;
  REQUIRE(Tbsi_Context_Create(generic, &other) == TBS_SUCCESS);
  CHECK(Tbsip_Context_Close(other) == TBS_SUCCESS);

  // The types of owner authorization are those of the family.
  UINT32 size = 0;
  for (const UINT32 type : {1U, 2U, 3U, 4U}) {
    CHECK(Tbsi_Get_OwnerAuth(context, type, nullptr, &size) == TBS_E_OWNERAUTH_NOT_FOUND);
  }
  for (const UINT32 type : {12U, 13U}) {
    CHECK(Tbsi_Get_OwnerAuth(context, type, nullptr, &size) == TBS_E_BAD_PARAMETER);
  }
  CHECK(GetDeviceID(nullptr, 0, &size, nullptr) == static_cast<HRESULT>(TBS_E_TPM_NOT_FOUND));

  const auto before = submit(context, kReadPcr12);
  REQUIRE(tpm::code(before) == tpm::kSuccess);
  CHECK(Tbsi_Revoke_Attestation() == TBS_SUCCESS);
  CHECK(submit(context, kReadPcr12) != before);
  CHECK(Tbsip_Context_Close(context) == TBS_SUCCESS);
  Tbsx_Set_Socket(nullptr);
  CHECK(daemon.stop() == 0);
}
