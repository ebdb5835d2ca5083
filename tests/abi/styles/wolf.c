/* In the manner of wolfTPM: types declared once more, a stand-in for headers too old to have
 * version two, one buffer for the command and its response, and return codes that are plain ints.
 */
/* clang-format off */
#ifdef _WIN32
#include <winsock2.h>
#endif
#include <windows.h>
#include <tbs.h>
#include <winerror.h>
#include <string.h>
/* clang-format on */

typedef unsigned char BYTE;
typedef unsigned char UINT8;
typedef unsigned short UINT16;
typedef unsigned int UINT32;
typedef int INT32;
typedef int BOOL;

#ifndef TBS_CONTEXT_VERSION_TWO
#define TBS_CONTEXT_VERSION_TWO 2
typedef struct {
  UINT32 version;
  union {
    struct {
      UINT32 requestRaw : 1;
      UINT32 includeTpm12 : 1;
      UINT32 includeTpm20 : 1;
    };
    UINT32 asUINT32;
  };
} TBS_CONTEXT_PARAMS2;
#endif

typedef struct {
  TBS_HCONTEXT tbs_context;
} WINAPI_CONTEXT;

static int submit(WINAPI_CONTEXT* ctx, BYTE* buffer, UINT32 size, UINT32 capacity) {
  int rc;
  UINT32 tmp = capacity;
  if (ctx->tbs_context == NULL) {
    TBS_CONTEXT_PARAMS2 params;
    memset(&params, 0, sizeof params);
    params.version = TBS_CONTEXT_VERSION_TWO;
    params.includeTpm20 = 1;
    rc = (int)Tbsi_Context_Create((TBS_CONTEXT_PARAMS*)&params, &ctx->tbs_context);
    if (rc != 0) return rc;
  }
  rc = (int)Tbsip_Submit_Command(ctx->tbs_context, TBS_COMMAND_LOCALITY_ZERO,
                                 TBS_COMMAND_PRIORITY_NORMAL, buffer, size, buffer, &tmp);
  if (rc == (int)TPM_E_COMMAND_BLOCKED) return -1;
  if (rc != (int)TBS_SUCCESS) return rc;
  return (int)tmp;
}

int main(void) {
  static const BYTE get_random[] = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, 32};
  WINAPI_CONTEXT context = {NULL};
  BYTE buffer[4096];
  int turn;
  for (turn = 0; turn < 3; ++turn) {
    memcpy(buffer, get_random, sizeof get_random);
    if (submit(&context, buffer, sizeof get_random, sizeof buffer) != 44) return 1;
    if (buffer[11] != 32) return 2;
  }
  return Tbsip_Context_Close(context.tbs_context) == TBS_SUCCESS ? 0 : 3;
}
