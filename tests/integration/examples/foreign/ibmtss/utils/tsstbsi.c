/* Of the shape of the file of this name in IBM's TSS: the same includes, types and calls. */
#ifdef TPM_WINDOWS_TBSI

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#ifdef TPM_WINDOWS
#include <winsock2.h>
#endif
#include <ibmtss/tssproperties.h>
#include <specstrings.h>
#include <windows.h>

static void TSS_Tbsi_GetTBSError(const char* prefix, TBS_RESULT rc) {
  char* text = NULL;
  if (FormatMessage(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM |
                        FORMAT_MESSAGE_IGNORE_INSERTS,
                    NULL, rc, MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT), (LPTSTR)&text, 0,
                    NULL) == 0)
    text = NULL;
  printf("%s %s", prefix, text == NULL ? "unknown error type\n" : text);
  LocalFree(text);
}

static uint32_t TSS_Tbsi_Transmit(TSS_CONTEXT* tssContext, uint8_t* responseBuffer, uint32_t* read,
                                  const uint8_t* commandBuffer, uint32_t written) {
  uint32_t rc = 0;
  TBS_CONTEXT_PARAMS2 contextParams;
  contextParams.version = TBS_CONTEXT_VERSION_TWO;
  contextParams.includeTpm12 = 0;
  contextParams.includeTpm20 = 1;
  if (tssContext->tssFirstTransmit) {
    rc = Tbsi_Context_Create((PCTBS_CONTEXT_PARAMS)&contextParams, &tssContext->hContext);
    if (rc == 0) tssContext->tssFirstTransmit = FALSE;
  }
  if (rc == 0) {
    rc = Tbsip_Submit_Command(tssContext->hContext, TBS_COMMAND_LOCALITY_ZERO,
                              TBS_COMMAND_PRIORITY_NORMAL, commandBuffer, written, responseBuffer,
                              read);
  }
  if (rc != 0) TSS_Tbsi_GetTBSError("Tbsip_Submit_Command", rc);
  return rc;
}

int main(void) {
  TSS_CONTEXT context = {TRUE, INVALID_SOCKET, NULL};
  uint8_t command[10 + 2];
  uint8_t response[4096];
  uint32_t read = sizeof response;
  uint16_t tag = htons(0x8001), bytes = htons(8);
  uint32_t size = htonl(sizeof command), code = htonl(0x17b), rc;
  memcpy(command, &tag, 2);
  memcpy(command + 2, &size, 4);
  memcpy(command + 6, &code, 4);
  memcpy(command + 10, &bytes, 2);
  if (TSS_Tbsi_Transmit(&context, response, &read, command, sizeof command) != 0) return 1;
  memcpy(&rc, response + 6, 4);
  memcpy(&bytes, response + 10, 2);
  printf("response code %u, %u bytes\n", ntohl(rc), ntohs(bytes));
  read = 10; /* too small: the text of the code */
  if (TSS_Tbsi_Transmit(&context, response, &read, command, sizeof command) == 0) return 2;
  return (int)Tbsip_Context_Close(context.hContext);
}
#endif
