/* In the manner of programs that load the library when they need it (Go's LazyDLL, .NET's
 * P/Invoke): functions by name, handles squeezed through 32 bits, buffers that double until the log
 * fits, and the codes that the tests of such programs expect. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <tbs.h>

static void* library;

/* A function of the library; ISO C has no cast from void*. */
static void load(const char* name, void (**function)(void)) {
  *(void**)function = dlsym(library, name);
  if (*function == NULL) {
    fprintf(stderr, "%s is missing\n", name);
    exit(10);
  }
}

typedef UINT32 (*CREATE)(const UINT32* params, void** handle);
typedef UINT32 (*CLOSE)(uintptr_t handle);
typedef UINT32 (*SUBMIT)(uintptr_t handle, UINT32 locality, UINT32 priority, const void* command,
                         UINT32 size, void* result, UINT32* result_size);
typedef UINT32 (*GET_LOG)(uintptr_t handle, void* output, UINT32* size);
typedef UINT32 (*GET_AUTH)(uintptr_t handle, UINT32 type, void* output, UINT32* size);

static int check_log(GET_LOG get_log, uintptr_t handle) {
  UINT32 needed = 0;
  UINT32 size = 16;
  UINT32 result;
  BYTE* log = NULL;
  if (get_log(handle, NULL, &needed) != 0 || needed == 0) return 4;
  do {
    size *= 2;
    log = realloc(log, size);
    result = get_log(handle, log, &size);
    if (result == 0x80284005) size = size / 2 + 16;
  } while (result == 0x80284005);
  free(log);
  return result == 0 && size == needed ? 0 : 5;
}

static int check_submit(SUBMIT submit, uintptr_t handle) {
  static const BYTE get_random[] = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, 8};
  static const UINT32 priorities[] = {100, 200, 300, 400};
  BYTE response[4096];
  UINT32 size = 0;
  unsigned i;
  if (submit(handle, 0, 200, NULL, 0, NULL, &size) != 0x80284002) return 6;
  if (submit(handle, 0, 200, get_random, sizeof get_random, NULL, &size) != 0x80284003) return 7;
  size = 1;
  if (submit(handle, 0, 200, get_random, sizeof get_random, response, &size) != 0x80284005)
    return 8;
  /* A loop that takes the size at its word and submits again. */
  if (size != 20 || submit(handle, 0, 200, get_random, sizeof get_random, response, &size) != 0)
    return 9;
  for (i = 0; i < 4; ++i) {
    size = sizeof response;
    if (submit(handle, 0, priorities[i], get_random, sizeof get_random, response, &size) != 0)
      return 10;
  }
  return 0;
}

static int check_auth(GET_AUTH get_auth, uintptr_t handle) {
  static const UINT32 types[] = {1, 12, 13};
  BYTE value[256];
  unsigned i;
  for (i = 0; i < 3; ++i) {
    UINT32 size = sizeof value;
    /* None is stored, and the program goes on with an empty password. */
    if (get_auth(handle, types[i], value, &size) != 0x80284015) return 11;
  }
  return 0;
}

int main(void) {
  static const UINT32 params[] = {2, 0x6};
  void* opened = NULL;
  uintptr_t handle;
  CREATE create;
  CLOSE close_context;
  SUBMIT submit;
  GET_LOG get_log;
  GET_AUTH get_auth;
  int code;
  library = dlopen(getenv("LIBTBS"), RTLD_NOW);
  if (library == NULL) return 1;
  load("Tbsi_Context_Create", (void (**)(void))&create);
  load("Tbsip_Context_Close", (void (**)(void))&close_context);
  load("Tbsip_Submit_Command", (void (**)(void))&submit);
  load("Tbsi_Get_TCG_Log", (void (**)(void))&get_log);
  load("Tbsi_Get_OwnerAuth", (void (**)(void))&get_auth);
  if (create(params, &opened) != 0) return 2;
  handle = (uintptr_t)opened;
  if (handle != (UINT32)handle || (INT32)handle <= 0) return 3;
  handle = (uintptr_t)(INT32)handle;
  code = check_submit(submit, handle);
  if (code == 0) code = check_log(get_log, handle);
  if (code == 0) code = check_auth(get_auth, handle);
  if (close_context(handle) != 0) return 12;
  return code;
}
