/* A program in the manner of Windows sources: their headers in their order, their types, their
 * habits. It has to compile unchanged, as C and as C++, and to find no service where there is none.
 */

/* The order is that of Windows programs. */
/* clang-format off */
#include <winsock2.h>
#include <windows.h>
#include <winerror.h>
#include <specstrings.h>
#include <Tbs.h>
#include <stdio.h>
/* clang-format on */

/* Programs that bring the types of TPM headers along declare them again. */
typedef unsigned char BYTE;
typedef unsigned int UINT32;
typedef int BOOL;

static const char* text_of(TBS_RESULT result) {
  switch (result) {
    case TBS_SUCCESS:
      return "TBS_SUCCESS";
    case TBS_E_SERVICE_NOT_RUNNING:
      return "TBS_E_SERVICE_NOT_RUNNING";
    case TBS_E_TPM_NOT_FOUND:
      return "TBS_E_TPM_NOT_FOUND";
    case TBS_E_DEACTIVATED:
      return "TBS_E_DEACTIVATED";
    default:
      return (int)result == (int)TPM_E_COMMAND_BLOCKED ? "TPM_E_COMMAND_BLOCKED" : "another";
  }
}

static HRESULT WINAPI open_tbs(_In_ UINT32 version, _Out_ PVOID* handle) {
  TBS_CONTEXT_PARAMS2 params;
  TBS_RESULT result;
  params.version = version;
  params.includeTpm12 = FALSE;
  params.includeTpm20 = TRUE;
  result = Tbsi_Context_Create((PCTBS_CONTEXT_PARAMS)&params, handle);
  return (HRESULT)result;
}

int main(void) {
  TBS_HCONTEXT context = NULL;
  TPM_DEVICE_INFO info;
  BYTE buffer[TBS_IN_OUT_BUF_SIZE_MAX / 64];
  DWORD size = sizeof(buffer);
  char text[128];
  SOCKET none = INVALID_SOCKET;
  HRESULT opened = open_tbs(TBS_CONTEXT_VERSION_TWO, &context);
  ZeroMemory(buffer, sizeof(buffer));
  printf("%s\n", text_of((TBS_RESULT)opened));
  if (SUCCEEDED(opened) || !FAILED(opened)) return 1;
  if ((TBS_RESULT)opened != TBS_E_SERVICE_NOT_RUNNING) return 2;
  if (FAILED(TBS_SUCCESS) || !FAILED(TBS_E_IOERROR)) return 3;
  if (Tbsi_GetDeviceInfo(sizeof(info), &info) != TBS_E_SERVICE_NOT_RUNNING) return 4;
  if (Tbsip_Submit_Command(context, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_NORMAL, buffer,
                           size, buffer, (PUINT32)&size) != TBS_E_INVALID_CONTEXT)
    return 5;
  if (Tbsip_Context_Close(&context) != TBS_E_INVALID_CONTEXT) return 6;
  if (FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                    TBS_E_SERVICE_NOT_RUNNING, MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT), text,
                    sizeof(text), NULL) != strlen(text) ||
      strcmp(text, "The TBS service does not run.\r\n") != 0)
    return 8;
  if (FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM, NULL, TBS_E_IOERROR, 0, text, 10, NULL) != 0 ||
      FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 0x80070002U, 0, text, sizeof(text), NULL) !=
          0)
    return 9;
  if (ntohs(htons(0x8001)) != 0x8001 || ntohl(htonl(0x17B)) != 0x17B) return 10;
#ifdef CLOCK_MONOTONIC
  {
    ULONGLONG start = GetTickCount64();
    Sleep(2);
    if (GetTickCount64() <= start) return 11;
  }
#endif
  return none == INVALID_SOCKET && sizeof(DWORD) == 4 && sizeof(LONG) == 4 ? 0 : 7;
}
