/* In the manner of tpm2-tss: a module that keeps the command and submits it when the response is
 * asked for, parameters of which only the named bits are set, and sizes of type size_t behind a
 * cast. */
/* clang-format off */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <Tbs.h>
/* clang-format on */

typedef struct {
  TBS_HCONTEXT context;
  PBYTE command;
  UINT32 command_size;
} MODULE;

static void fill_stack(void) {
  volatile BYTE noise[4096];
  size_t i;
  for (i = 0; i < sizeof noise; ++i) noise[i] = 0xff;
}

static int init(MODULE* module) {
  TBS_CONTEXT_PARAMS2 params;
  TPM_DEVICE_INFO info;
  params.version = TBS_CONTEXT_VERSION_TWO;
  params.includeTpm12 = FALSE;
  params.includeTpm20 = TRUE;
  if (Tbsi_Context_Create((PCTBS_CONTEXT_PARAMS)&params, &module->context) != TBS_SUCCESS) return 1;
  if (Tbsi_GetDeviceInfo(sizeof(info), &info) != TBS_SUCCESS) return 2;
  return info.tpmVersion == TPM_VERSION_20 ? 0 : 3;
}

static int transmit(MODULE* module, size_t size, const BYTE* command) {
  module->command = malloc(size);
  if (module->command == NULL) return 1;
  memcpy(module->command, command, size);
  module->command_size = (UINT32)size;
  return 0;
}

static int receive(MODULE* module, size_t* size, BYTE* response) {
  TBS_RESULT result =
      Tbsip_Submit_Command(module->context, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_NORMAL,
                           module->command, module->command_size, response, (PUINT32)(void*)size);
  free(module->command);
  module->command = NULL;
  return result == TBS_SUCCESS ? 0 : 1;
}

int main(void) {
  static const BYTE get_random[] = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, 16};
  MODULE module = {NULL, NULL, 0};
  BYTE response[4096];
  size_t size = sizeof response;
  int failed;
  fill_stack();
  failed = init(&module);
  if (failed != 0) return failed;
  if (Tbsip_Cancel_Commands(module.context) != TBS_SUCCESS) return 4;
  if (transmit(&module, sizeof get_random, get_random) != 0) return 5;
  if (receive(&module, &size, response) != 0) return 6;
  if (size != 28) return 7;
  return Tbsip_Context_Close(module.context) == TBS_SUCCESS ? 0 : 8;
}
