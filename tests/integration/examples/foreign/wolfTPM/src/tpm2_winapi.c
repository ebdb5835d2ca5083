/* Of the shape of wolfTPM's transport for Windows: the same includes, types, casts and calls, and
 * that it declares the parameters of a context itself where the header has none. */
#ifdef WOLFTPM_WINAPI
#include <stdio.h>
#include <tbs.h>
#include <windows.h>
#include <wolftpm/tpm2_winapi.h>

#ifndef TBS_CONTEXT_VERSION_TWO
#error "this header is older than Windows 8"
#endif

int TPM2_WinApi_SendCommand(TPM2_CTX* ctx, uint8_t* buf, int* pos, int size) {
  int rc = 0;
  TBS_CONTEXT_PARAMS2 tbs_params;
  tbs_params.version = TBS_CONTEXT_VERSION_TWO;
  tbs_params.includeTpm12 = 0;
  tbs_params.includeTpm20 = 1;
  if (ctx->winCtx.tbs_context == NULL) {
    rc = Tbsi_Context_Create((TBS_CONTEXT_PARAMS*)&tbs_params, &ctx->winCtx.tbs_context);
  }
  if (rc == 0) {
    uint32_t tmp = size;
    rc = Tbsip_Submit_Command(ctx->winCtx.tbs_context, TBS_COMMAND_LOCALITY_ZERO,
                              TBS_COMMAND_PRIORITY_NORMAL, buf, *pos, buf, (UINT32*)&tmp);
    *pos = tmp;
  }
  return rc;
}

int TPM2_WinApi_Cleanup(TPM2_CTX* ctx) {
  int rc = 0;
  if (ctx->winCtx.tbs_context != NULL) {
    rc = Tbsip_Context_Close(ctx->winCtx.tbs_context);
    ctx->winCtx.tbs_context = NULL;
  }
  return rc;
}

/* As its benchmark and examples tell the time. */
static double gettime_secs(void) {
  return (double)GetTickCount64() / 1000.0;
}

int main(void) {
  static const BYTE command[] = {0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 8};
  TPM2_CTX ctx = {{NULL}};
  BYTE packet[4096];
  int pos = sizeof command;
  double start = gettime_secs();
  memcpy(packet, command, sizeof command);
  if (TPM2_WinApi_SendCommand(&ctx, packet, &pos, sizeof packet) != 0) return 1;
  Sleep(20);
  printf("%d bytes, %s\n", pos, gettime_secs() > start ? "later" : "no later");
  return TPM2_WinApi_Cleanup(&ctx);
}
#endif
