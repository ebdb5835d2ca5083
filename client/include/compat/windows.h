/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The little of Windows' windows.h that programs for TPM Base Services use, so that they compile
 * unchanged: names of types, TRUE and FALSE, calling conventions that mean nothing here, and the
 * few functions of winbase.h. Sizes are those of Windows: DWORD and LONG have 32 bits everywhere.
 * _WIN32 is not defined, on purpose: it would switch programs to everything else that Windows has.
 *
 * In use with `pkg-config --cflags tbs-compat`.
 */
#ifndef TBS_COMPAT_WINDOWS_H
#define TBS_COMPAT_WINDOWS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <tbs.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef char CHAR;
typedef unsigned char UCHAR;
typedef uint16_t WORD;
typedef uint16_t USHORT;
typedef int16_t SHORT;
typedef uint32_t DWORD;
typedef uint32_t ULONG;
typedef int32_t LONG;
typedef int INT;
typedef unsigned int UINT;
typedef uint8_t BOOLEAN;
typedef size_t SIZE_T;
typedef uintptr_t ULONG_PTR;
typedef uintptr_t DWORD_PTR;
typedef void* HANDLE;
typedef void* LPVOID;
typedef const void* LPCVOID;
typedef BYTE* LPBYTE;
typedef DWORD* LPDWORD;
typedef DWORD* PDWORD;
typedef ULONG* PULONG;
typedef char* LPSTR;
typedef char* LPTSTR;
typedef const char* LPCSTR;

#ifdef __cplusplus
}
#endif

#ifndef VOID
#define VOID void
#endif
#ifndef CONST
#define CONST const
#endif
#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif
#ifndef WINAPI
#define WINAPI
#endif
#ifndef APIENTRY
#define APIENTRY
#endif
#ifndef CALLBACK
#define CALLBACK
#endif

#define INVALID_HANDLE_VALUE ((HANDLE) ~(uintptr_t)0)
#define ZeroMemory(memory, size) memset((memory), 0, (size))
#define CopyMemory(to, from, size) memcpy((to), (from), (size))

/* As on Windows, where windows.h brings the names of sockets, the functions of winbase.h and the
 * codes. */
#include "winbase.h"
#include "winerror.h"
#include "winsock2.h"

#endif /* TBS_COMPAT_WINDOWS_H */
