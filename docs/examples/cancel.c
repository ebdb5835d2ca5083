/* Creates a key and cancels that from another thread, or says why it cannot:
 *   cc cancel.c $(pkg-config --cflags --libs tbs tss2-mu) */
#include <stdio.h>
#include <tbs.h>
#include <tbsx.h>

#include <pthread.h>
#include <unistd.h>

#include <tss2/tss2_mu.h>

static void* cancel(void* context) {
  usleep(5000);
  Tbsip_Cancel_Commands(context);
  return NULL;
}

/* TPM2_CreatePrimary of an RSA-2048 storage key under the owner hierarchy, no password; its size.
 */
static UINT32 create_primary(BYTE* command, size_t room) {
  const TPMS_AUTH_COMMAND no_password = {.sessionHandle = TPM2_RH_PW};
  const TPM2B_SENSITIVE_CREATE no_secret = {0};
  const TPM2B_PUBLIC storage_key = {
      .publicArea = {.type = TPM2_ALG_RSA,
                     .nameAlg = TPM2_ALG_SHA256,
                     .objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT |
                                         TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                         TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH,
                     .parameters.rsaDetail = {.symmetric = {.algorithm = TPM2_ALG_AES,
                                                            .keyBits.aes = 128,
                                                            .mode.aes = TPM2_ALG_CFB},
                                              .scheme.scheme = TPM2_ALG_NULL,
                                              .keyBits = 2048}}};
  const TPM2B_DATA nothing = {0};
  const TPML_PCR_SELECTION no_pcrs = {0};
  size_t end = 0, size = 2, area = 14;
  /* The sizes of the command and of its authorizations are known at the end. */
  TSS2_RC failed = Tss2_MU_TPM2_ST_Marshal(TPM2_ST_SESSIONS, command, room, &end) ||
                   Tss2_MU_UINT32_Marshal(0, command, room, &end) ||
                   Tss2_MU_TPM2_CC_Marshal(TPM2_CC_CreatePrimary, command, room, &end) ||
                   Tss2_MU_TPM2_HANDLE_Marshal(TPM2_RH_OWNER, command, room, &end) ||
                   Tss2_MU_UINT32_Marshal(0, command, room, &end) ||
                   Tss2_MU_TPMS_AUTH_COMMAND_Marshal(&no_password, command, room, &end) ||
                   Tss2_MU_UINT32_Marshal((UINT32)(end - area - 4), command, room, &area) ||
                   Tss2_MU_TPM2B_SENSITIVE_CREATE_Marshal(&no_secret, command, room, &end) ||
                   Tss2_MU_TPM2B_PUBLIC_Marshal(&storage_key, command, room, &end) ||
                   Tss2_MU_TPM2B_DATA_Marshal(&nothing, command, room, &end) ||
                   Tss2_MU_TPML_PCR_SELECTION_Marshal(&no_pcrs, command, room, &end) ||
                   Tss2_MU_UINT32_Marshal((UINT32)end, command, room, &size);
  return failed ? 0 : (UINT32)end;
}

int main(void) {
  TBS_CONTEXT_PARAMS2 params = {.version = TBS_CONTEXT_VERSION_TWO, .includeTpm20 = 1};
  TBS_HCONTEXT tpm;
  BYTE command[512], response[4096];
  UINT32 size = sizeof response, code = 0;
  size_t at = 6; /* of the TPM's own response code */
  pthread_t thread;
  TBS_RESULT result = Tbsi_Context_Create((PCTBS_CONTEXT_PARAMS)&params, &tpm);
  if (result != TBS_SUCCESS) {
    fprintf(stderr, "no context: %s (%s)\n", Tbsx_Result_Text(result), Tbsx_Result_Name(result));
    return 1;
  }
  pthread_create(&thread, NULL, cancel, tpm);
  result = Tbsip_Submit_Command(tpm, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_LOW, command,
                                create_primary(command, sizeof command), response, &size);
  pthread_join(thread, NULL);
  Tbsip_Context_Close(tpm);
  if (result == TBS_E_COMMAND_CANCELED) {
    printf("cancelled\n");
  } else if (result != TBS_SUCCESS) {
    fprintf(stderr, "not sent, or no answer: %s (%s)\n", Tbsx_Result_Text(result),
            Tbsx_Result_Name(result));
    return 1;
  } else if (Tss2_MU_UINT32_Unmarshal(response, size, &at, &code) != TSS2_RC_SUCCESS || code != 0) {
    fprintf(stderr, "the TPM refused; tbsctl explain 0x%x says why\n", code);
    return 1;
  } else {
    printf("finished first\n");
  }
  return 0;
}
