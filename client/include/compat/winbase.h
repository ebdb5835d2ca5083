/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The little of Windows' winbase.h that programs for TPM Base Services call: the time, a pause, and
 * the text of a code. Threads, files and all else are left to Linux.
 */
#ifndef TBS_COMPAT_WINBASE_H
#define TBS_COMPAT_WINBASE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tbs.h>
#include <time.h>

#include <poll.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t ULONGLONG;

#define INFINITE 0xFFFFFFFFU

/* Milliseconds. Longer pauses than poll() takes are cut to its 24 days, INFINITE is none of these.
 */
static __inline__ void Sleep(uint32_t milliseconds) {
  do {
    (void)poll(NULL, 0, milliseconds > 0x7FFFFFFFU ? -1 : (int)milliseconds);
  } while (milliseconds == INFINITE);
}

/* Milliseconds since the machine was started. A compiler that was told strict ISO C has no such
 * clock: take -std=gnu11, or -D_POSIX_C_SOURCE=200809L. */
#ifdef CLOCK_MONOTONIC
static __inline__ ULONGLONG GetTickCount64(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) return 0;
  return (ULONGLONG)now.tv_sec * 1000U + (ULONGLONG)now.tv_nsec / 1000000U;
}
#endif

#define FORMAT_MESSAGE_ALLOCATE_BUFFER 0x0100U
#define FORMAT_MESSAGE_IGNORE_INSERTS 0x0200U
#define FORMAT_MESSAGE_FROM_SYSTEM 0x1000U
#define FORMAT_MESSAGE_MAX_WIDTH_MASK 0x00FFU
#define LANG_NEUTRAL 0x00U
#define LANG_ENGLISH 0x09U
#define SUBLANG_NEUTRAL 0x00U
#define SUBLANG_DEFAULT 0x01U
#define MAKELANGID(primary, sub) (((uint32_t)(sub) << 10) | (uint32_t)(primary))

static __inline__ const char* tbs_compat_text(TBS_RESULT code) {
  switch (code) {
    case TBS_SUCCESS:
      return "The function succeeded.";
    case TBS_E_INTERNAL_ERROR:
      return "Something inside of the library or the service went wrong.";
    case TBS_E_BAD_PARAMETER:
      return "A parameter is not valid.";
    case TBS_E_INVALID_OUTPUT_POINTER:
      return "A pointer for output is not valid.";
    case TBS_E_INVALID_CONTEXT:
      return "The handle is not that of an open context.";
    case TBS_E_INSUFFICIENT_BUFFER:
      return "The buffer is too small.";
    case TBS_E_IOERROR:
      return "The TPM could not be reached.";
    case TBS_E_INVALID_CONTEXT_PARAM:
      return "A parameter of the new context is not valid.";
    case TBS_E_SERVICE_NOT_RUNNING:
      return "The TBS service does not run.";
    case TBS_E_TOO_MANY_TBS_CONTEXTS:
      return "Too many contexts are open.";
    case TBS_E_TOO_MANY_RESOURCES:
      return "Too many objects or commands belong to this user.";
    case TBS_E_SERVICE_START_PENDING:
      return "The TBS service has been started and is not ready.";
    case TBS_E_PPI_NOT_SUPPORTED:
      return "The physical presence interface is not supported.";
    case TBS_E_COMMAND_CANCELED:
      return "The command was cancelled.";
    case TBS_E_BUFFER_TOO_LARGE:
      return "A buffer is too large.";
    case TBS_E_TPM_NOT_FOUND:
      return "There is no TPM that can be used.";
    case TBS_E_SERVICE_DISABLED:
      return "The TBS service is disabled.";
    case TBS_E_NO_EVENT_LOG:
      return "There is no event log.";
    case TBS_E_ACCESS_DENIED:
      return "The program does not have the right to do this.";
    case TBS_E_PROVISIONING_NOT_ALLOWED:
      return "The TPM may not be provisioned.";
    case TBS_E_PPI_FUNCTION_UNSUPPORTED:
      return "The firmware does not support this request.";
    case TBS_E_OWNERAUTH_NOT_FOUND:
      return "No such owner authorization is stored.";
    case TPM_E_COMMAND_BLOCKED:
      return "The command is blocked by policy.";
    default:
      return NULL;
  }
}

/* Of Windows' function what TBS programs call: the text of a TBS_E_ code, in English, without
 * inserts. As there it ends with a line's end, the length comes without the zero byte, and 0 says
 * that there is no text or no room. The memory of FORMAT_MESSAGE_ALLOCATE_BUFFER goes to LocalFree.
 */
static __inline__ uint32_t FormatMessageA(uint32_t flags, const void* source, uint32_t code,
                                          uint32_t language, char* buffer, uint32_t size,
                                          va_list* arguments) {
  const char* text = tbs_compat_text(code);
  const char* end = (flags & FORMAT_MESSAGE_MAX_WIDTH_MASK) != 0 ? " " : "\r\n";
  size_t length;
  (void)source;
  (void)language;
  (void)arguments;
  if (text == NULL || buffer == NULL || (flags & FORMAT_MESSAGE_FROM_SYSTEM) == 0) return 0;
  length = strlen(text) + strlen(end);
  if ((flags & FORMAT_MESSAGE_ALLOCATE_BUFFER) != 0) {
    char* made = (char*)malloc(length + 1 > size ? length + 1 : size);
    memcpy(buffer, &made, sizeof made); /* it is the address of a pointer */
    if (made == NULL) return 0;
    buffer = made;
  } else if (size <= length) {
    return 0;
  }
  memcpy(buffer, text, strlen(text));
  memcpy(buffer + strlen(text), end, strlen(end) + 1);
  return (uint32_t)length;
}

static __inline__ void* LocalFree(void* memory) {
  free(memory);
  return NULL;
}

#ifdef __cplusplus
}
#endif

#ifndef UNICODE
#define FormatMessage FormatMessageA
#endif

#endif /* TBS_COMPAT_WINBASE_H */
