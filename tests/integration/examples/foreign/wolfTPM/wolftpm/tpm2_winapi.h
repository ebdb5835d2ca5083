/* Of the shape of wolfTPM's header of this name: the state of its transport for Windows. */
#ifndef FOREIGN_TPM2_WINAPI_H
#define FOREIGN_TPM2_WINAPI_H

#include <stdint.h>
#include <tbs.h>
#include <windows.h>

typedef struct {
  struct {
    TBS_HCONTEXT tbs_context;
  } winCtx;
} TPM2_CTX;

int TPM2_WinApi_SendCommand(TPM2_CTX* ctx, uint8_t* buf, int* pos, int size);
int TPM2_WinApi_Cleanup(TPM2_CTX* ctx);

#endif
