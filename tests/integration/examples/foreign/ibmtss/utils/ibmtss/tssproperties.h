/* Of the shape of the header of this name in IBM's TSS: what it includes, and wants of it. */
#ifndef FOREIGN_TSSPROPERTIES_H
#define FOREIGN_TSSPROPERTIES_H

#include <stdint.h>

/* Its TPM_Types.h has these. */
typedef uint8_t BYTE;
typedef uint32_t UINT32;
typedef int32_t INT32;
typedef int BOOL;

#ifdef TPM_WINDOWS
#include <specstrings.h>
#include <windows.h>
#ifdef TPM_WINDOWS_TBSI
#if defined TPM_WINDOWS_TBSI_WIN8
#include <tbs.h>
#else
#error "Must define TPM_WINDOWS_TBSI_WIN8"
#endif
#endif
typedef SOCKET TSS_SOCKET_FD;
#else
#error "Must define TPM_WINDOWS"
#endif

typedef struct {
  int tssFirstTransmit;
  TSS_SOCKET_FD sock_fd;
  TBS_HCONTEXT hContext;
} TSS_CONTEXT;

#endif
