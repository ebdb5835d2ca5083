/* Creates a key and cancels that from another thread: cc cancel.c $(pkg-config --cflags --libs tbs)
 */
#include <stdio.h>
#include <tbs.h>

#include <pthread.h>
#include <unistd.h>

static void* cancel(void* context) {
  usleep(5000);
  Tbsip_Cancel_Commands(context);
  return NULL;
}

int main(void) {
  /* TPM2_CreatePrimary of an RSA-2048 storage key under the owner hierarchy, no password. */
  static const BYTE create[] = {
      0x80, 2, 0, 0, 0, 67, 0, 0, 1, 0x31,          /* sessions, size, TPM_CC_CreatePrimary */
      0x40, 0, 0, 1,                                /* TPM_RH_OWNER */
      0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0,     /* TPM_RS_PW, empty */
      0, 4, 0, 0, 0, 0,                             /* inSensitive */
      0, 26, 0, 1, 0, 11, 0, 3, 4, 0x72, 0, 0,      /* inPublic: RSA, SHA-256, attributes, */
      0, 6, 0, 128, 0, 0x43, 0, 16, 8, 0, 0, 0, 0, 0, 0, 0, /* AES-128-CFB, 2048 bits */
      0, 0, 0, 0, 0, 0};                            /* outsideInfo, creationPCR */
  TBS_CONTEXT_PARAMS2 params = {.version = TBS_CONTEXT_VERSION_TWO, .includeTpm20 = 1};
  TBS_HCONTEXT tpm;
  BYTE response[4096];
  UINT32 size = sizeof response;
  pthread_t thread;
  if (Tbsi_Context_Create((PCTBS_CONTEXT_PARAMS)&params, &tpm) != TBS_SUCCESS) return 1;
  pthread_create(&thread, NULL, cancel, tpm);
  TBS_RESULT result = Tbsip_Submit_Command(tpm, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_LOW,
                                           create, sizeof create, response, &size);
  printf("%s\n", result == TBS_E_COMMAND_CANCELED ? "cancelled" : "finished first, or failed");
  pthread_join(thread, NULL);
  return Tbsip_Context_Close(tpm) == TBS_SUCCESS ? 0 : 1;
}
