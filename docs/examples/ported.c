/* A program written for Windows, unchanged: docs/porting.md follows it through. */
/* clang-format off */
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <Tbs.h>
/* clang-format on */

static HRESULT PrintDevice(void) {
  TPM_DEVICE_INFO info;
  HRESULT hr = (HRESULT)Tbsi_GetDeviceInfo(sizeof(info), &info);
  if (SUCCEEDED(hr)) {
    printf("TPM %s, interface %u\n", info.tpmVersion == TPM_VERSION_20 ? "2.0" : "1.2",
           info.tpmInterfaceType);
  }
  return hr;
}

static HRESULT PrintRandom(TBS_HCONTEXT hContext) {
  BYTE buffer[4096] = {0x80, 0x01, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x01, 0x7b, 0x00, 0x08};
  UINT32 cbResult = sizeof(buffer);
  UINT32 i;
  HRESULT hr =
      (HRESULT)Tbsip_Submit_Command(hContext, TBS_COMMAND_LOCALITY_ZERO,
                                    TBS_COMMAND_PRIORITY_NORMAL, buffer, 12, buffer, &cbResult);
  if (FAILED(hr)) return hr;
  printf("random: ");
  for (i = 12; i < cbResult; i++) printf("%02x", buffer[i]);
  printf("\n");
  return S_OK;
}

static HRESULT PrintLog(TBS_HCONTEXT hContext) {
  UINT32 cbLog = 0;
  BYTE* pbLog;
  HRESULT hr = (HRESULT)Tbsi_Get_TCG_Log(hContext, NULL, &cbLog);
  if (FAILED(hr)) return hr;
  pbLog = (BYTE*)malloc(cbLog);
  if (pbLog == NULL) return E_OUTOFMEMORY;
  hr = (HRESULT)Tbsi_Get_TCG_Log(hContext, pbLog, &cbLog);
  if (SUCCEEDED(hr)) printf("event log: %u bytes\n", cbLog);
  free(pbLog);
  return hr;
}

int main(void) {
  TBS_HCONTEXT hContext = NULL;
  TBS_CONTEXT_PARAMS2 params;
  HRESULT hr;

  params.version = TBS_CONTEXT_VERSION_TWO;
  params.asUINT32 = 0;
  params.includeTpm20 = TRUE;
  hr = (HRESULT)Tbsi_Context_Create((PCTBS_CONTEXT_PARAMS)&params, &hContext);
  if (FAILED(hr)) {
    fprintf(stderr, "Tbsi_Context_Create: 0x%08x\n", (unsigned)hr);
    return 1;
  }
  if (FAILED(hr = PrintDevice()) || FAILED(hr = PrintRandom(hContext))) {
    fprintf(stderr, "TPM: 0x%08x\n", (unsigned)hr);
  } else if (PrintLog(hContext) == (HRESULT)TBS_E_NO_EVENT_LOG) {
    printf("event log: none\n");
  }
  Tbsip_Context_Close(hContext);
  return FAILED(hr) ? 1 : 0;
}
