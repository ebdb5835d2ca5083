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
  static const BYTE create[] =
      "\x80\x02\0\0\0\x43\0\0\1\x31\x40\0\0\1\0\0\0\t\x40\0\0\t\0\0\0\0\0\0\4\0\0\0\0\0\x1a\0\1\0"
      "\x0b"
      "\0\3\4\x72\0\0\0\6\0\x80\0\x43\0\x10\x08\0\0\0\0\0\0\0\0\0\0\0\0\0";
  TBS_CONTEXT_PARAMS2 params = {.version = TBS_CONTEXT_VERSION_TWO, .includeTpm20 = 1};
  TBS_HCONTEXT tpm;
  BYTE response[4096];
  UINT32 size = sizeof response;
  pthread_t thread;
  if (Tbsi_Context_Create((PCTBS_CONTEXT_PARAMS)&params, &tpm) != TBS_SUCCESS) return 1;
  pthread_create(&thread, NULL, cancel, tpm);
  TBS_RESULT result = Tbsip_Submit_Command(tpm, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_LOW,
                                           create, sizeof create - 1, response, &size);
  printf("%s\n", result == TBS_E_COMMAND_CANCELED ? "cancelled" : "finished first, or failed");
  pthread_join(thread, NULL);
  return Tbsip_Context_Close(tpm) == TBS_SUCCESS ? 0 : 1;
}
