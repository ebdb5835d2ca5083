/* In the manner of IBM's TSS: all of its headers, parameters that are not zeroed, and a switch over
 * every return code there is. */
/* clang-format off */
#include <stdint.h>
#include <stdio.h>
#include <winsock2.h>
#include <windows.h>
#include <winerror.h>
#include <specstrings.h>
#include <tbs.h>
/* clang-format on */

static const char* text_of(TBS_RESULT rc) {
  switch (rc) {
    case TBS_SUCCESS:
      return "success";
    case TBS_E_INTERNAL_ERROR:
      return "internal software error";
    case TBS_E_BAD_PARAMETER:
      return "bad parameter";
    case TBS_E_INVALID_OUTPUT_POINTER:
      return "invalid output pointer";
    case TBS_E_INVALID_CONTEXT:
      return "invalid context";
    case TBS_E_INSUFFICIENT_BUFFER:
      return "insufficient buffer";
    case TBS_E_IOERROR:
      return "I/O error";
    case TBS_E_INVALID_CONTEXT_PARAM:
      return "invalid context parameter";
    case TBS_E_SERVICE_NOT_RUNNING:
      return "service not running";
    case TBS_E_TOO_MANY_TBS_CONTEXTS:
      return "too many contexts";
    case TBS_E_TOO_MANY_RESOURCES:
      return "too many resources";
    case TBS_E_SERVICE_START_PENDING:
      return "start pending";
    case TBS_E_PPI_NOT_SUPPORTED:
      return "no PPI";
    case TBS_E_COMMAND_CANCELED:
      return "canceled";
    case TBS_E_BUFFER_TOO_LARGE:
      return "buffer too large";
    case TBS_E_TPM_NOT_FOUND:
      return "no TPM";
    case TBS_E_SERVICE_DISABLED:
      return "disabled";
    case TBS_E_NO_EVENT_LOG:
      return "no log";
    case TBS_E_ACCESS_DENIED:
      return "denied";
    case TBS_E_PROVISIONING_NOT_ALLOWED:
      return "provisioning not allowed";
    case TBS_E_PPI_FUNCTION_UNSUPPORTED:
      return "PPI function unsupported";
    case TBS_E_OWNERAUTH_NOT_FOUND:
      return "no owner authorization";
    case TBS_E_PROVISIONING_INCOMPLETE:
      return "provisioning incomplete";
    case TPM_E_COMMAND_BLOCKED:
      return "blocked";
    default:
      return "unknown";
  }
}

static uint32_t open_context(TBS_HCONTEXT* context, int tpm12) {
  TBS_CONTEXT_PARAMS2 parameters;
  TBS_RESULT rc;
  parameters.version = TBS_CONTEXT_VERSION_TWO;
  if (tpm12) {
    parameters.includeTpm12 = 1;
    parameters.includeTpm20 = 0;
  } else {
    parameters.includeTpm12 = 0;
    parameters.includeTpm20 = 1;
  }
  rc = Tbsi_Context_Create((PCTBS_CONTEXT_PARAMS)&parameters, context);
  printf("%s\n", text_of(rc));
  return rc;
}

int main(void) {
  static const BYTE get_random[] = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, 8};
  TBS_HCONTEXT context;
  BYTE response[4096];
  uint32_t read = sizeof response;
  SOCKET unused = INVALID_SOCKET;
  if (open_context(&context, 1) != TBS_E_TPM_NOT_FOUND) return 1;
  if (open_context(&context, 0) != TBS_SUCCESS) return 2;
  if (Tbsip_Submit_Command(context, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_NORMAL,
                           get_random, sizeof get_random, response, &read) != TBS_SUCCESS)
    return 3;
  if (read != 20 || unused != INVALID_SOCKET) return 4;
  return Tbsip_Context_Close(context) == TBS_SUCCESS ? 0 : 5;
}
