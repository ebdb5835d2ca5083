/* In the manner of Azure's device SDK: it closes the address of its handle instead of the handle,
 * and goes on as if nothing had happened. */
/* clang-format off */
#include <stdlib.h>
#include <windows.h>
#include <Tbs.h>
/* clang-format on */

typedef struct {
  TBS_HCONTEXT handle;
  TPM_DEVICE_INFO info;
} COMM, *COMM_HANDLE;

static COMM_HANDLE create(void) {
  COMM_HANDLE result = malloc(sizeof(COMM));
  TBS_CONTEXT_PARAMS2 params = {TBS_CONTEXT_VERSION_TWO, {{0, 0, 0, 0}}};
  if (result == NULL) return NULL;
  ZeroMemory(result, sizeof(COMM));
  params.includeTpm20 = TRUE;
  result->info.structVersion = 1;
  if (Tbsi_Context_Create((PCTBS_CONTEXT_PARAMS)&params, &result->handle) != TBS_SUCCESS ||
      Tbsi_GetDeviceInfo(sizeof(result->info), &result->info) != TBS_SUCCESS) {
    free(result);
    return NULL;
  }
  return result;
}

int main(void) {
  static const unsigned char get_random[] = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, 8};
  unsigned char response[4096];
  UINT32 length = sizeof response;
  COMM_HANDLE comm = create();
  int code = 0;
  if (comm == NULL) return 1;
  if (comm->info.tpmVersion != TPM_VERSION_20) code = 2;
  if (Tbsip_Submit_Command(comm->handle, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_NORMAL,
                           get_random, sizeof get_random, response, &length) != TBS_SUCCESS)
    code = 3;
  if (Tbsip_Context_Close(&comm->handle) != TBS_E_INVALID_CONTEXT) code = 4;
  /* The context is alive all the same. */
  length = sizeof response;
  if (Tbsip_Submit_Command(comm->handle, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_NORMAL,
                           get_random, sizeof get_random, response, &length) != TBS_SUCCESS)
    code = 5;
  free(comm);
  return code;
}
