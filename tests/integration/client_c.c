/* A C program on a real tbsd (TBS_SOCKET says where): what each function of tbs.h and tbsx.h does
 * with a TPM 2.0 behind it. Says what was wrong, and exits with the number of failures. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <tbs.h>
#include <tbsx.h>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures = 0;

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition); \
      ++failures;                                                     \
    }                                                                 \
  } while (0)

/* TPM2_GetRandom of 16 bytes: a response of 28. */
static const BYTE kGetRandom[] = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, 16};
enum { kRandomResponse = 28 };

static UINT32 response_code(const BYTE* response) {
  return (UINT32)response[6] << 24 | (UINT32)response[7] << 16 | (UINT32)response[8] << 8 |
         response[9];
}

/* As sloppy programs do it: nothing is zeroed. */
static TBS_RESULT create(UINT32 version, UINT32 flags, TBS_HCONTEXT* context) {
  TBS_CONTEXT_PARAMS2 params;
  memset(&params, 0xff, sizeof params);
  params.version = version;
  params.asUINT32 = flags;
  return Tbsi_Context_Create((PCTBS_CONTEXT_PARAMS)&params, context);
}

static void check_device(void) {
  TPM_DEVICE_INFO info = {2, 77, 77, 77};
  CHECK(Tbsi_GetDeviceInfo(sizeof info, &info) == TBS_SUCCESS);
  CHECK(info.structVersion == 1);
  CHECK(info.tpmVersion == TPM_VERSION_20);
  CHECK(info.tpmInterfaceType == TPM_IFTYPE_EMULATOR);
  CHECK(info.tpmImpRevision >= 100 && info.tpmImpRevision < 200);
  CHECK(Tbsi_GetDeviceInfo(sizeof info - 1, &info) == TBS_E_BAD_PARAMETER);
  CHECK(Tbsi_Is_Tpm_Present() != 0);
}

static void check_create_and_close(void) {
  TBS_HCONTEXT context = &failures;
  CHECK(create(TBS_CONTEXT_VERSION_ONE, 0, &context) == TBS_E_TPM_NOT_FOUND);
  CHECK(context == NULL);
  CHECK(create(TBS_CONTEXT_VERSION_TWO, 2, &context) == TBS_E_TPM_NOT_FOUND);
  CHECK(create(TBS_CONTEXT_VERSION_TWO, 1, &context) == TBS_E_INVALID_CONTEXT_PARAM);
  CHECK(create(3, 4, &context) == TBS_E_INVALID_CONTEXT_PARAM);
  CHECK(create(TBS_CONTEXT_VERSION_TWO, 0xfffffffdU, &context) == TBS_SUCCESS);
  CHECK(context != NULL && (uintptr_t)context < 0x80000000U);
  CHECK(Tbsip_Context_Close(&context) == TBS_E_INVALID_CONTEXT);
  CHECK(Tbsip_Context_Close(context) == TBS_SUCCESS);
  CHECK(Tbsip_Context_Close(context) == TBS_E_INVALID_CONTEXT);
  CHECK(Tbsip_Cancel_Commands(context) == TBS_E_INVALID_CONTEXT);
}

static TBS_RESULT get_random(TBS_HCONTEXT context, UINT32 locality, UINT32 priority, BYTE* buffer,
                             UINT32* size) {
  /* Command and response in the same memory. */
  memcpy(buffer, kGetRandom, sizeof kGetRandom);
  return Tbsip_Submit_Command(context, locality, priority, buffer, sizeof kGetRandom, buffer, size);
}

static void check_submit(TBS_HCONTEXT context) {
  static const UINT32 priorities[] = {0, 1, TBS_COMMAND_PRIORITY_NORMAL, TBS_COMMAND_PRIORITY_MAX,
                                      0xffffffffU};
  static const BYTE unknown[] = {0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x0f, 0xff};
  BYTE buffer[4096];
  BYTE large[8192] = {0x80, 0x01, 0, 0, 0x20, 0, 0, 0, 0x01, 0x7b};
  UINT32 size;
  size_t i;
  for (i = 0; i < sizeof priorities / sizeof *priorities; ++i) {
    size = sizeof buffer;
    CHECK(get_random(context, 0, priorities[i], buffer, &size) == TBS_SUCCESS);
    CHECK(size == kRandomResponse && response_code(buffer) == 0);
  }
  size = 1;
  CHECK(get_random(context, 0, 0, buffer, &size) == TBS_E_INSUFFICIENT_BUFFER);
  CHECK(size == kRandomResponse);
  size = sizeof buffer;
  CHECK(get_random(context, 5, 0, buffer, &size) == TBS_E_BAD_PARAMETER);
  /* The TPM's own errors are in the response. */
  size = sizeof buffer;
  CHECK(Tbsip_Submit_Command(context, 0, 0, unknown, sizeof unknown, buffer, &size) == TBS_SUCCESS);
  CHECK(size == 10 && response_code(buffer) != 0);
  size = sizeof buffer;
  CHECK(Tbsip_Submit_Command(context, 0, 0, large, sizeof large, buffer, &size) ==
        TBS_E_BUFFER_TOO_LARGE);
  CHECK(Tbsip_Submit_Command(context, 0, 0, NULL, 12, buffer, &size) == TBS_E_BAD_PARAMETER);
  CHECK(Tbsip_Submit_Command(context, 0, 0, kGetRandom, 11, buffer, &size) == TBS_E_BAD_PARAMETER);
  CHECK(Tbsip_Submit_Command(context, 0, 0, kGetRandom, sizeof kGetRandom, NULL, &size) ==
        TBS_E_INVALID_OUTPUT_POINTER);
  CHECK(Tbsip_Cancel_Commands(context) == TBS_SUCCESS);
  CHECK(get_random(context, 0, 0, buffer, &size) == TBS_SUCCESS);
}

static void check_begin(TBS_HCONTEXT context) {
  struct pollfd entry = {-1, POLLIN, 0};
  BYTE buffer[64];
  UINT32 size = 0;
  TBSX_REQUEST request = 0;
  TBSX_CONTEXT_INFO info;
  CHECK(Tbsx_Get_Context_Info(context, &info) == TBS_SUCCESS);
  CHECK(info.number != 0 && info.maxCommand >= 1024 && info.maxResponse >= 1024);
  CHECK(Tbsx_Get_Poll_Descriptor(context, &entry.fd) == TBS_SUCCESS);
  CHECK(Tbsx_Submit_Begin(context, 0, 0, kGetRandom, sizeof kGetRandom, &request) == TBS_SUCCESS);
  CHECK(poll(&entry, 1, 60000) == 1);
  CHECK(Tbsx_Submit_Result(context, request, NULL, &size, -1) == TBS_E_INSUFFICIENT_BUFFER);
  CHECK(size == kRandomResponse);
  size = sizeof buffer;
  CHECK(Tbsx_Submit_Result(context, request, buffer, &size, 0) == TBS_SUCCESS);
  CHECK(size == kRandomResponse && response_code(buffer) == 0);
  CHECK(poll(&entry, 1, 0) == 0);
}

static void check_fork(TBS_HCONTEXT context) {
  BYTE buffer[64];
  UINT32 size = sizeof buffer;
  int status = -1;
  const pid_t child = fork();
  if (child == 0) {
    TBS_HCONTEXT own = NULL;
    failures = 0;
    CHECK(get_random(context, 0, 0, buffer, &size) == TBS_E_INVALID_CONTEXT);
    CHECK(Tbsip_Context_Close(context) == TBS_E_INVALID_CONTEXT);
    CHECK(create(TBS_CONTEXT_VERSION_TWO, 4, &own) == TBS_SUCCESS);
    CHECK(get_random(own, 0, 0, buffer, &size) == TBS_SUCCESS);
    _exit(failures);
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(get_random(context, 0, 0, buffer, &size) == TBS_SUCCESS);
}

int main(void) {
  TBS_HCONTEXT context = NULL;
  check_device();
  check_create_and_close();
  CHECK(create(TBS_CONTEXT_VERSION_TWO, 4, &context) == TBS_SUCCESS);
  check_submit(context);
  check_begin(context);
  check_fork(context);
  CHECK(Tbsip_Context_Close(context) == TBS_SUCCESS);
  return failures;
}
