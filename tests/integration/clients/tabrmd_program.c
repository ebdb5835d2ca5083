/* Asks the TPM for random bytes through libtss2-tcti-tabrmd.so.0: tabrmd_program [CONFIGURATION].
   Compiled with LINKED it is linked with the library, else it loads it by its soname. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <tss2/tss2-tcti-tabrmd.h>
#ifndef LINKED
#include <dlfcn.h>
#endif

static void check(int fine, const char* what) {
  if (fine) return;
  fprintf(stderr, "not so: %s\n", what);
  exit(1);
}

#ifdef LINKED
const TSS2_TCTI_INFO* Tss2_Tcti_Info(void);

static const TSS2_TCTI_INFO* info_of_module(void) {
  const TSS2_TCTI_INFO* info = Tss2_Tcti_Info();
  check(info->init == Tss2_Tcti_Tabrmd_Init, "both exported functions are of one module");
  return info;
}
#else
static const TSS2_TCTI_INFO* info_of_module(void) {
  void* module = dlopen("libtss2-tcti-tabrmd.so.0", RTLD_NOW | RTLD_LOCAL);
  TSS2_TCTI_INFO_FUNC info;
  TSS2_TCTI_INIT_FUNC init;
  check(module != NULL, "the module is found by its soname");
  *(void**)&info = dlsym(module, TSS2_TCTI_INFO_SYMBOL);
  check(info != NULL, "it exports Tss2_Tcti_Info");
  *(void**)&init = dlsym(module, "Tss2_Tcti_Tabrmd_Init");
  check(init != NULL && init == info()->init, "it exports Tss2_Tcti_Tabrmd_Init");
  return info();
}
#endif

int main(int argc, char** argv) {
  static const uint8_t command[] = {0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 8};
  uint8_t response[64];
  size_t size = 0;
  const TSS2_TCTI_INFO* info = info_of_module();
  const char* configuration = argc > 1 ? argv[1] : NULL;
  TSS2_TCTI_CONTEXT* context;
  check(info->init(NULL, &size, configuration) == TSS2_RC_SUCCESS, "it tells its size");
  context = malloc(size);
  check(context != NULL, "there is memory");
  check(info->init(context, &size, configuration) == TSS2_RC_SUCCESS, "it connects");
  check(Tss2_Tcti_Transmit(context, sizeof command, command) == TSS2_RC_SUCCESS, "it sends");
  size = sizeof response;
  check(Tss2_Tcti_Receive(context, &size, response, TSS2_TCTI_TIMEOUT_BLOCK) == TSS2_RC_SUCCESS,
        "it receives");
  check(size == 20 && response[9] == 0, "it receives 8 random bytes");
  Tss2_Tcti_Finalize(context);
  free(context);
  puts(info->description);
  return 0;
}
