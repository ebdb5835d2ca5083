/* SPDX-License-Identifier: BSD-2-Clause
 *
 * tbs.h: the TPM Base Services API for Linux, as declared by the Windows SDK's tbs.h.
 *
 * A program opens a context with the service (tbsd), sends it whole TPM commands and gets whole TPM
 * responses. To each context it looks as if it had a TPM of its own: handles of transient objects
 * are private to the context, sessions have an owner, and commands of all programs are run one
 * after another by priority. Extensions for Linux (another socket, submitting without waiting) are
 * in tbsx.h.
 *
 * Compile and link with `pkg-config --cflags --libs tbs`. The header is valid C89 and C++98 and
 * later, except that TBS_CONTEXT_PARAMS2 has an anonymous union, which GCC and Clang take in every
 * mode.
 *
 * Conventions
 * -----------
 * - All sizes are in bytes. Integers in structures have the byte order of the machine; TPM commands
 *   and responses are passed as they are, big-endian.
 * - Functions return a TBS_RESULT: TBS_SUCCESS (0) or one of the TBS_E_ codes below. When the TPM
 *   reports an error, they return TBS_SUCCESS: look into the response, whose bytes 6 to 9 are the
 *   TPM's response code.
 * - Buffers belong to the caller. None is kept after the function returned.
 * - Handles are small odd numbers, never zero, below 2^31. Any other value, and that of a closed
 *   context, is refused with TBS_E_INVALID_CONTEXT; none is ever used as an address.
 * - Every function may be called from any thread at any time, also several at once on one context.
 *   None may be called from a signal handler; what may be used there says
 *   Tbsx_Get_Cancel_Descriptor. Threads must not be cancelled (pthread_cancel) inside.
 * - No function raises a signal (SIGPIPE) and none fails because of one (EINTR).
 * - After fork() the contexts belong to the parent alone. In the child their handles give
 *   TBS_E_INVALID_CONTEXT, and the child's use of them, or its end, disturbs nothing in the parent.
 *   The child can create contexts of its own.
 * - A context outlives the service. A service that is stopped answers every command that waits or
 *   runs with TBS_E_SERVICE_NOT_RUNNING, once; with one that dies, they return TBS_E_IOERROR. In
 *   both cases nobody sends a command again: it may have run. As long as there is no service, calls
 *   return TBS_E_SERVICE_NOT_RUNNING; once there is one again, the next call connects anew and
 *   works. It may wait for this as Tbsi_Context_Create does, and return what that returns. What the
 *   context owned on the TPM is gone then: its handles are unknown, and new ones are others.
 *   Flushing what is gone succeeds. The context can be closed at any time.
 * - TBS_E_INTERNAL_ERROR can come from every function: memory or descriptors of this process are
 *   exhausted, or the service sent what this library does not understand.
 *
 * The service listens on /run/tbs/tbsd.sock for everybody and on /run/tbs/admin.sock for
 * administrators, whose programs take the latter. The environment variable TBS_SOCKET names another
 * socket; it is ignored in programs with raised privileges (secure_getenv(3)).
 */
#ifndef _TBS_H_
#define _TBS_H_

#include <stdint.h>

#if defined(__GNUC__)
#define TBS_EXTENSION __extension__
#define TBS_API __attribute__((visibility("default")))
#else
#define TBS_EXTENSION
#define TBS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Base types -------------------------------------------------------------------------------
 * The same types that the Windows SDK and the tpm2-tss headers give these names, so that all of
 * them can be included together. None depends on the size of `long`.
 */
typedef uint8_t BYTE;
typedef uint8_t UINT8;
typedef uint16_t UINT16;
typedef uint32_t UINT32;
typedef uint64_t UINT64;
typedef int32_t INT32;
typedef int BOOL;
typedef BYTE* PBYTE;
typedef const BYTE* PCBYTE;
typedef UINT32* PUINT32;
typedef const UINT32* PCUINT32;
typedef INT32* PINT32;
typedef const INT32* PCINT32;
typedef void* PVOID;
typedef const void* PCVOID;
typedef INT32 HRESULT;
/* A UTF-16 unit, as on Windows. Not wchar_t, which has four bytes here. */
typedef UINT16 WCHAR;

typedef UINT32 TBS_RESULT;
typedef BOOL TBS_BOOL;
typedef UINT32 TBS_HANDLE;
typedef UINT32 TBS_COMMAND_PRIORITY;
typedef UINT32 TBS_COMMAND_LOCALITY;
typedef UINT32 TBS_OWNERAUTH_TYPE;
typedef void* TBS_HCONTEXT;
typedef TBS_HCONTEXT* PTBS_HCONTEXT;

/* ---- Context versions, localities, priorities ------------------------------------------------ */

#define TBS_CONTEXT_VERSION_ONE 1U
#define TBS_CONTEXT_VERSION_TWO 2U

#define TBS_COMMAND_LOCALITY_ZERO 0U
#define TBS_COMMAND_LOCALITY_ONE 1U
#define TBS_COMMAND_LOCALITY_TWO 2U
#define TBS_COMMAND_LOCALITY_THREE 3U
#define TBS_COMMAND_LOCALITY_FOUR 4U

/* Any number is a priority; these are names for five of them. 0 is below LOW. */
#define TBS_COMMAND_PRIORITY_LOW 100U
#define TBS_COMMAND_PRIORITY_NORMAL 200U
#define TBS_COMMAND_PRIORITY_HIGH 300U
#define TBS_COMMAND_PRIORITY_SYSTEM 400U
#define TBS_COMMAND_PRIORITY_MAX 0x80000000U

/* The largest buffer Tbsip_Submit_Command takes, and more than event logs usually need. */
#define TBS_IN_OUT_BUF_SIZE_MAX (256U * 1024U)

#define TBS_OWNERAUTH_TYPE_FULL 1U
#define TBS_OWNERAUTH_TYPE_ADMIN 2U
#define TBS_OWNERAUTH_TYPE_USER 3U
#define TBS_OWNERAUTH_TYPE_ENDORSEMENT 4U
#define TBS_OWNERAUTH_TYPE_ENDORSEMENT_20 12U
#define TBS_OWNERAUTH_TYPE_STORAGE_20 13U

#define TBS_TCGLOG_SRTM_CURRENT 0U
#define TBS_TCGLOG_DRTM_CURRENT 1U
#define TBS_TCGLOG_SRTM_BOOT 2U
#define TBS_TCGLOG_SRTM_RESUME 3U
#define TBS_TCGLOG_DRTM_BOOT 4U
#define TBS_TCGLOG_DRTM_RESUME 5U
#define TBS_GET_ALL_LOGS_FLAG 1U

#define TPM_WNF_INFO_CLEAR_SUCCESSFUL 1U
#define TPM_WNF_INFO_OWNERSHIP_SUCCESSFUL 2U
#define TPM_WNF_INFO_NO_REBOOT_REQUIRED 1U

#ifndef TPM_VERSION_UNKNOWN
#define TPM_VERSION_UNKNOWN 0U
#define TPM_VERSION_12 1U
#define TPM_VERSION_20 2U

#define TPM_IFTYPE_UNKNOWN 0U
#define TPM_IFTYPE_1 1U         /* a chip on I/O ports or memory-mapped registers */
#define TPM_IFTYPE_TRUSTZONE 2U /* in the trusted execution environment of the processor */
#define TPM_IFTYPE_HW 3U        /* hardware, or firmware that takes its place */
#define TPM_IFTYPE_EMULATOR 4U  /* software: its secrets are as safe as the files they lie in */
#define TPM_IFTYPE_SPB 5U       /* a chip on an SPI or I2C bus */
#endif

/* ---- Return codes ("TBS Return Codes") --------------------------------------------------------
 * The numbers are those of the Windows SDK. They are unsigned, like TBS_RESULT.
 */
#define TBS_SUCCESS 0U
#define TBS_E_INTERNAL_ERROR 0x80284001U         /* a fault of the software */
#define TBS_E_BAD_PARAMETER 0x80284002U          /* a parameter is not valid */
#define TBS_E_INVALID_OUTPUT_POINTER 0x80284003U /* an output pointer is not valid */
#define TBS_E_INVALID_CONTEXT 0x80284004U        /* the handle is not a live context */
#define TBS_E_INSUFFICIENT_BUFFER 0x80284005U    /* the output buffer is too small */
#define TBS_E_IOERROR 0x80284006U                /* the TPM failed to take or answer a command */
#define TBS_E_INVALID_CONTEXT_PARAM 0x80284007U  /* a context parameter is not valid */
#define TBS_E_SERVICE_NOT_RUNNING 0x80284008U    /* the service is not running */
#define TBS_E_TOO_MANY_TBS_CONTEXTS 0x80284009U  /* the limit of contexts is reached */
#define TBS_E_TOO_MANY_RESOURCES 0x8028400AU     /* another limit is reached */
#define TBS_E_SERVICE_START_PENDING 0x8028400BU  /* the service has not got its TPM yet */
#define TBS_E_PPI_NOT_SUPPORTED 0x8028400CU      /* there is no physical presence interface */
#define TBS_E_COMMAND_CANCELED 0x8028400DU       /* the command was cancelled */
#define TBS_E_BUFFER_TOO_LARGE 0x8028400EU       /* a buffer is larger than allowed */
#define TBS_E_TPM_NOT_FOUND 0x8028400FU          /* there is no TPM of the kind asked for */
#define TBS_E_SERVICE_DISABLED 0x80284010U       /* the administrator disabled the service */
#define TBS_E_NO_EVENT_LOG 0x80284011U           /* there is no event log of that kind */
#define TBS_E_ACCESS_DENIED 0x80284012U          /* the caller lacks the right to do this */
#define TBS_E_PROVISIONING_NOT_ALLOWED 0x80284013U
#define TBS_E_PPI_FUNCTION_UNSUPPORTED 0x80284014U
#define TBS_E_OWNERAUTH_NOT_FOUND 0x80284015U
#define TBS_E_PROVISIONING_INCOMPLETE 0x80284016U
#define TBS_E_DEACTIVATED 0x80284016U /* the older name of the same number */

/* Codes that the service puts into a TPM response, not return codes. A command that policy forbids
 * gives TBS_SUCCESS and a response of ten bytes with TPM_E_COMMAND_BLOCKED. */
#define TPM_E_COMMAND_BLOCKED 0x80280400U
#define TPM_E_INVALID_HANDLE 0x80280401U
#define TPM_E_DUPLICATE_VHANDLE 0x80280402U
#define TPM_E_EMBEDDED_COMMAND_BLOCKED 0x80280403U
#define TPM_E_EMBEDDED_COMMAND_UNSUPPORTED 0x80280404U
#define TPM_E_RETRY 0x80280800U
#define TPM_E_NEEDS_SELFTEST 0x80280801U
#define TPM_E_DOING_SELFTEST 0x80280802U
#define TPM_E_DEFEND_LOCK_RUNNING 0x80280803U

/* ---- Structures ------------------------------------------------------------------------------ */

/* Parameters of a context for TPM 1.2 (version TBS_CONTEXT_VERSION_ONE). 4 bytes.
 * Page: "TBS_CONTEXT_PARAMS structure". */
typedef struct tdTBS_CONTEXT_PARAMS {
  UINT32 version;
} TBS_CONTEXT_PARAMS, *PTBS_CONTEXT_PARAMS;
typedef const TBS_CONTEXT_PARAMS* PCTBS_CONTEXT_PARAMS;

/* Parameters of a context that names the TPM families it can use (version
 * TBS_CONTEXT_VERSION_TWO). 8 bytes. Passed cast to TBS_CONTEXT_PARAMS.
 *
 * In asUINT32: requestRaw is 0x1, includeTpm12 is 0x2, includeTpm20 is 0x4. The 29 spare bits are
 * ignored, whatever they hold: programs leave them uninitialised.
 *
 * requestRaw asks for the TPM alone and as it is: no virtual handles, no resource management, and
 * nobody else while the context is open. It is granted to administrators where the service's
 * configuration allows raw contexts (raw-contexts = "yes"), and refused with
 * TBS_E_TOO_MANY_TBS_CONTEXTS while another context is open. It is ignored from other users, where
 * raw contexts are not allowed, and beside spare bits that are not zero, because then it is a
 * leftover as well.
 * Page: "TBS_CONTEXT_PARAMS2 structure". */
typedef struct tdTBS_CONTEXT_PARAMS2 {
  UINT32 version;
  TBS_EXTENSION union {
    TBS_EXTENSION struct {
#if defined(__BYTE_ORDER__) && defined(__ORDER_BIG_ENDIAN__) && \
    __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
      UINT32 reserved : 29;
      UINT32 includeTpm20 : 1;
      UINT32 includeTpm12 : 1;
      UINT32 requestRaw : 1;
#else
      UINT32 requestRaw : 1;
      UINT32 includeTpm12 : 1;
      UINT32 includeTpm20 : 1;
      UINT32 reserved : 29;
#endif
    };
    UINT32 asUINT32;
  };
} TBS_CONTEXT_PARAMS2, *PTBS_CONTEXT_PARAMS2;
typedef const TBS_CONTEXT_PARAMS2* PCTBS_CONTEXT_PARAMS2;

/* What Tbsi_GetDeviceInfo tells. 16 bytes. Page: "TPM_DEVICE_INFO structure". */
typedef struct _TPM_DEVICE_INFO {
  UINT32 structVersion;    /* 1 */
  UINT32 tpmVersion;       /* TPM_VERSION_12 or TPM_VERSION_20 */
  UINT32 tpmInterfaceType; /* TPM_IFTYPE_... */
  UINT32 tpmImpRevision;   /* revision of the specification that the TPM implements, times 100 */
} TPM_DEVICE_INFO, *PTPM_DEVICE_INFO;
typedef const TPM_DEVICE_INFO* PCTPM_DEVICE_INFO;

/* Of Windows notifications; no function here uses it. 32 bytes. */
typedef struct tdTPM_WNF_PROVISIONING {
  UINT32 status;
  BYTE message[28];
} TPM_WNF_PROVISIONING, *PTPM_WNF_PROVISIONING;
typedef const TPM_WNF_PROVISIONING* PCTPM_WNF_PROVISIONING;

/* ---- Functions ------------------------------------------------------------------------------- */

/* Opens a context with the service.
 *
 * pContextParams: a TBS_CONTEXT_PARAMS (version 1: the program knows TPM 1.2 only) or a
 *   TBS_CONTEXT_PARAMS2 (version 2) cast to it. Not kept.
 * phContext: receives the handle, or NULL when the function fails. Close it with
 *   Tbsip_Context_Close.
 *
 * Waits while the service is starting, for at most 90 seconds.
 *
 * TBS_SUCCESS
 * TBS_E_BAD_PARAMETER          pContextParams is NULL
 * TBS_E_INVALID_OUTPUT_POINTER phContext is NULL
 * TBS_E_INVALID_CONTEXT_PARAM  the version is neither 1 nor 2, or it is 2 and includes no family
 * TBS_E_SERVICE_START_PENDING  the service runs but has not got its TPM in time
 * TBS_E_SERVICE_NOT_RUNNING    nothing listens on the socket, or it went away
 * TBS_E_SERVICE_DISABLED       the service says that the administrator disabled it. tbsd never
 *                              says so: a disabled service does not listen, which gives
 *                              TBS_E_SERVICE_NOT_RUNNING
 * TBS_E_ACCESS_DENIED          the socket or the service does not let this user in
 * TBS_E_TOO_MANY_TBS_CONTEXTS  the limit of contexts, or this process's (65535), is reached; a raw
 *                              context is open; or a raw one was asked for, and others are open
 * TBS_E_TPM_NOT_FOUND          there is no TPM, or none of the families asked for
 *
 * Page: "Tbsi_Context_Create function". */
TBS_API TBS_RESULT Tbsi_Context_Create(PCTBS_CONTEXT_PARAMS pContextParams,
                                       PTBS_HCONTEXT phContext);

/* Closes a context. The handle is dead when this returns, and everything that the context owned on
 * the TPM is flushed. Commands that other threads have outstanding on it return
 * TBS_E_COMMAND_CANCELED.
 *
 * TBS_SUCCESS            also when the service is gone
 * TBS_E_INVALID_CONTEXT  hContext is not a live context of this process
 *
 * Page: "Tbsip_Context_Close function". */
TBS_API TBS_RESULT Tbsip_Context_Close(TBS_HCONTEXT hContext);

/* Runs one TPM command and waits for its response. There is no time limit; Tbsip_Cancel_Commands
 * from another thread ends the wait.
 *
 * Locality: 0. The service lets administrators name 1 to 4 where the TPM's device knows localities;
 *   a kernel device does not, and gives TBS_E_BAD_PARAMETER.
 * Priority: any number; one of TBS_COMMAND_PRIORITY_. The service lowers what the user may not use.
 * pabCommand, cbCommand: one whole TPM command with its header; the header's size is cbCommand.
 * pabResult: receives the whole response. May be the same buffer as pabCommand.
 * pcbResult: in, the size of pabResult. Out, on success, the size of the response; with
 *   TBS_E_INSUFFICIENT_BUFFER, the size it would have needed; otherwise unchanged.
 *
 * Checked in this order: the context, the command, the output pointers, the sizes, the header.
 *
 * TBS_SUCCESS                  there is a response; it may carry an error of the TPM
 * TBS_E_INVALID_CONTEXT        hContext is not a live context of this process
 * TBS_E_BAD_PARAMETER          pabCommand is NULL, cbCommand is 0 or less than the ten bytes of a
 *                              header, or the header names another size; the locality is
 *                              above 4
 * TBS_E_INVALID_OUTPUT_POINTER pabResult or pcbResult is NULL
 * TBS_E_BUFFER_TOO_LARGE       cbCommand or *pcbResult is above TBS_IN_OUT_BUF_SIZE_MAX, or the
 *                              command is longer than the TPM takes
 * TBS_E_INSUFFICIENT_BUFFER    the response does not fit. The command has run, and the response is
 *                              lost: submitting the same bytes again runs it again
 * TBS_E_COMMAND_CANCELED       cancelled, or the context was closed; pabResult is unchanged
 * TBS_E_IOERROR                the TPM failed to take or answer the command, or the service died
 *                              with it; whether the command ran is not known
 * TBS_E_ACCESS_DENIED          the locality is not 0, and the caller is no administrator
 * TBS_E_TOO_MANY_RESOURCES     a limit of the service is reached
 * TBS_E_SERVICE_NOT_RUNNING    the service is not running, or it was stopped. A command that was
 *                              with the TPM when it was stopped may have run, any other has not
 * others                       as for Tbsi_Context_Create, when there has to be a new connection
 *
 * Page: "Tbsip_Submit_Command function". */
TBS_API TBS_RESULT Tbsip_Submit_Command(TBS_HCONTEXT hContext, TBS_COMMAND_LOCALITY Locality,
                                        TBS_COMMAND_PRIORITY Priority, PCBYTE pabCommand,
                                        UINT32 cbCommand, PBYTE pabResult, PUINT32 pcbResult);

/* Cancels every command that the context has outstanding, of all threads. They return
 * TBS_E_COMMAND_CANCELED, except where the TPM had finished first: those return their response.
 * When nothing is outstanding, nothing happens. Commands submitted later are not affected.
 *
 * TBS_SUCCESS
 * TBS_E_INVALID_CONTEXT      hContext is not a live context of this process
 * TBS_E_IOERROR              the service could not pass the cancel on. tbsd never says so
 * TBS_E_SERVICE_NOT_RUNNING  the service went away before it answered. Without a service nothing is
 *                            outstanding, which is a success
 *
 * Page: "Tbsip_Cancel_Commands function". */
TBS_API TBS_RESULT Tbsip_Cancel_Commands(TBS_HCONTEXT hContext);

/* Gets the family, the interface and the revision of the TPM. Needs no context.
 *
 * Size: the size of the buffer at Info, at least sizeof(TPM_DEVICE_INFO) = 16.
 * Info: receives a TPM_DEVICE_INFO. What it held before does not matter. Bytes after the first 16
 *   are not written, and nothing is when the function fails.
 *
 * TBS_SUCCESS
 * TBS_E_BAD_PARAMETER          Size is below 16, or Info is NULL
 * TBS_E_TPM_NOT_FOUND          the service has no TPM
 * TBS_E_SERVICE_NOT_RUNNING, TBS_E_SERVICE_START_PENDING, TBS_E_ACCESS_DENIED
 *                              as for Tbsi_Context_Create. Microsoft's page does not list them;
 *                              they tell an administrator more than "no TPM" would
 *
 * Page: "Tbsi_GetDeviceInfo function". */
TBS_API TBS_RESULT Tbsi_GetDeviceInfo(UINT32 Size, PVOID Info);

/* Tells whether there is a TPM.
 *
 * Returns a number other than 0 when Tbsi_GetDeviceInfo finds a TPM. Returns 0 when it does not,
 * also when the service is not running.
 *
 * Source: the Windows SDK's tbs.h. */
TBS_API BOOL Tbsi_Is_Tpm_Present(void);

/* Gets the event log of this boot: what firmware and boot loader measured into PCRs 0 to 15, byte
 * by byte as the firmware wrote it (the first record tells the format: TCG_PCR_EVENT alone, or
 * "Spec ID Event03" and TCG_PCR_EVENT2 after it). Linux adds nothing to it; its own measurements
 * (IMA) are in another log.
 *
 * pOutputBuf: receives the log. NULL, with *pOutputBufLen = 0, asks for the size alone.
 * pOutputBufLen: in, the size of pOutputBuf, which may be larger than TBS_IN_OUT_BUF_SIZE_MAX. Out,
 *   on success and with TBS_E_INSUFFICIENT_BUFFER, the size of the log; otherwise unchanged.
 *
 * TBS_SUCCESS                  the log, or its size, is there
 * TBS_E_INVALID_CONTEXT        hContext is not a live context of this process
 * TBS_E_INVALID_OUTPUT_POINTER pOutputBufLen is NULL, or pOutputBuf is NULL and *pOutputBufLen is
 *                              not 0
 * TBS_E_INSUFFICIENT_BUFFER    the log is longer; what pOutputBuf holds is not defined
 * TBS_E_NO_EVENT_LOG           the firmware gave the kernel none, or an empty one (Windows:
 *                              TBS_E_INTERNAL_ERROR)
 * TBS_E_ACCESS_DENIED          the log is for administrators, as the kernel has it; the setting
 *                              log-readers = "everyone" of the service changes that
 * TBS_E_INTERNAL_ERROR         the service cannot read the log; its own log says why
 * TBS_E_COMMAND_CANCELED       the context was closed meanwhile
 * TBS_E_SERVICE_NOT_RUNNING    the service went away
 * TBS_E_BUFFER_TOO_LARGE       the log has 4 GiB or more. Never because of the size of the buffer:
 *                              there is no limit to it here
 * Not returned: TBS_E_TPM_NOT_FOUND, since there is no context without a TPM; TBS_E_DEACTIVATED,
 * since the log is the firmware's and there whatever state the TPM is in.
 *
 * Page: "Tbsi_Get_TCG_Log function". */
TBS_API TBS_RESULT Tbsi_Get_TCG_Log(TBS_HCONTEXT hContext, PBYTE pOutputBuf, PUINT32 pOutputBufLen);

/* Gets an event log by its type. Needs no context.
 *
 * logType: TBS_TCGLOG_SRTM_CURRENT and TBS_TCGLOG_SRTM_BOOT are both the log that Tbsi_Get_TCG_Log
 *   gives. Linux keeps none of the other types.
 * pbOutput, pcbOutput: as pOutputBuf and pOutputBufLen there.
 *
 * TBS_SUCCESS, TBS_E_INVALID_OUTPUT_POINTER, TBS_E_INSUFFICIENT_BUFFER, TBS_E_ACCESS_DENIED,
 * TBS_E_INTERNAL_ERROR, TBS_E_BUFFER_TOO_LARGE
 *                              as for Tbsi_Get_TCG_Log
 * TBS_E_BAD_PARAMETER          there is no such log type
 * TBS_E_NO_EVENT_LOG           also for TBS_TCGLOG_DRTM_... and TBS_TCGLOG_SRTM_RESUME
 * TBS_E_TPM_NOT_FOUND          the service has no TPM
 * TBS_E_SERVICE_NOT_RUNNING, TBS_E_SERVICE_START_PENDING
 *                              as for Tbsi_GetDeviceInfo
 * Not returned: TBS_E_DEACTIVATED, as for Tbsi_Get_TCG_Log.
 *
 * Page: "Tbsi_Get_TCG_Log_Ex function". */
TBS_API TBS_RESULT Tbsi_Get_TCG_Log_Ex(UINT32 logType, PBYTE pbOutput, PUINT32 pcbOutput);

/* Gets one event log, or one and all later ones, by its number: 0 is that of the last full boot, 1
 * that of the first resume after it, and so on. Linux has number 0 alone. Needs no context.
 *
 * firstLog: the number.
 * pNextLog: receives the number after the last log that was returned, 1; may be NULL. Unchanged
 *   when the function fails.
 * pbOutput, cbOutput: receives the log; with TBS_GET_ALL_LOGS_FLAG, for each log its length in four
 *   bytes, little-endian, and the log, and FF FF FF FF at the end. NULL and 0 ask for the size.
 * pcbResult: receives the number of bytes written, or needed.
 * dwFlags: 0 or TBS_GET_ALL_LOGS_FLAG.
 *
 * TBS_SUCCESS
 * TBS_E_BAD_PARAMETER          dwFlags has another bit
 * TBS_E_INVALID_OUTPUT_POINTER pcbResult is NULL, or pbOutput is NULL and cbOutput is not 0
 * TBS_E_NO_EVENT_LOG           firstLog is not 0, or there is no log
 * others                       as for Tbsi_Get_TCG_Log_Ex
 *
 * Page: "Tbsi_Get_TCG_Logs function" (archived; the Windows SDK does not declare it). */
TBS_API TBS_RESULT Tbsi_Get_TCG_Logs(UINT32 firstLog, PUINT32 pNextLog, PBYTE pbOutput,
                                     UINT32 cbOutput, PUINT32 pcbResult, UINT32 dwFlags);

/* Calls the firmware's physical presence interface (TCG PC Client Physical Presence Interface
 * Specification). It is for operations that somebody at the machine must confirm, such as clearing
 * the TPM or switching it on or off. The firmware carries them out at the next boot, and may ask
 * first.
 *
 * pabInput, cbInput: 32-bit integers, little-endian: the function, then its arguments.
 * pabOutput: receives what the function returned, 32-bit integers, little-endian; of function 1 a
 *   text with a zero byte at its end.
 * pcbOutput: in, the size of pabOutput; out, on success, the bytes written; otherwise unchanged.
 *
 *   1  version                  -> "1.3"
 *   2  submit: operation        -> 0 done, 1 not supported, 2 failed
 *   3  pending operation        -> 0, operation[, parameter]; or 1, 0, 0: failed
 *   4  transition               -> 0 none, 1 shut down, 2 restart, 3 as the vendor says
 *   5  response                 -> 0, last operation, its result; or 1, 0, 0: failed
 *   7  submit: operation[, parameter]  -> as 2
 *   8  confirmation: operation  -> 0 not implemented, 1 firmware only, 2 blocked,
 *                                  3 allowed when a user confirms, 4 allowed without
 *
 * TBS_SUCCESS                    the firmware answered; its answer may be a failure
 * TBS_E_INVALID_CONTEXT          hContext is not a live context of this process
 * TBS_E_BAD_PARAMETER            pabInput is NULL, or cbInput is not what the function takes
 * TBS_E_INVALID_OUTPUT_POINTER   pabOutput or pcbOutput is NULL
 * TBS_E_INSUFFICIENT_BUFFER      what the function returned does not fit. Functions 2 and 7 are not
 *                                called then
 * TBS_E_PPI_NOT_SUPPORTED        the firmware has no physical presence interface
 * TBS_E_PPI_FUNCTION_UNSUPPORTED the firmware, or the kernel, does not know the function; function
 *                                6, the language of the dialogue, is obsolete and not in Linux
 * TBS_E_ACCESS_DENIED            functions 2 and 7 are for administrators
 * TBS_E_INTERNAL_ERROR           the service may not use the kernel's files; its log says why
 * TBS_E_COMMAND_CANCELED         the context was closed meanwhile; an operation may be submitted
 * TBS_E_SERVICE_NOT_RUNNING      the service went away
 * Not returned: TBS_E_INVALID_CONTEXT_PARAM; the codes above are more exact.
 *
 * Page: "Tbsi_Physical_Presence_Command function". */
TBS_API TBS_RESULT Tbsi_Physical_Presence_Command(TBS_HCONTEXT hContext, PCBYTE pabInput,
                                                  UINT32 cbInput, PBYTE pabOutput,
                                                  PUINT32 pcbOutput);

/* Gets an authorization value of the TPM that the administrator has stored. Nothing is stored by
 * default: the service never sets a value. See tbsd(8), OWNER AUTHORIZATION.
 *
 * ownerauthType: with a TPM 2.0 TBS_OWNERAUTH_TYPE_FULL (lockout), _ENDORSEMENT_20 and _STORAGE_20
 *   (owner); with a TPM 1.2 _FULL, _ADMIN, _USER and _ENDORSEMENT.
 * pOutputBuf: receives the value. NULL, with *pOutputBufLen = 0, asks for the size alone.
 * pOutputBufLen: in, the size of pOutputBuf; out, on success and with TBS_E_INSUFFICIENT_BUFFER,
 *   the size of the value; otherwise unchanged.
 *
 * TBS_SUCCESS
 * TBS_E_INVALID_CONTEXT        hContext is not a live context of this process
 * TBS_E_INVALID_OUTPUT_POINTER pOutputBufLen is NULL, or pOutputBuf is NULL and *pOutputBufLen is
 *                              not 0
 * TBS_E_BAD_PARAMETER          the type is none of those that a TPM of this family has
 * TBS_E_ACCESS_DENIED          the caller is no administrator
 * TBS_E_OWNERAUTH_NOT_FOUND    the value is not stored, or others may read or write its file
 * TBS_E_INSUFFICIENT_BUFFER    the value is longer
 * TBS_E_COMMAND_CANCELED       the context was closed meanwhile
 * TBS_E_SERVICE_NOT_RUNNING    the service went away
 *
 * Page: "Tbsi_Get_OwnerAuth function". */
TBS_API TBS_RESULT Tbsi_Get_OwnerAuth(TBS_HCONTEXT hContext, TBS_OWNERAUTH_TYPE ownerauthType,
                                      PBYTE pOutputBuf, PUINT32 pOutputBufLen);

/* Extends PCR 12, so that this boot can no longer be attested. Every bank is extended, and quotes
 * made from now on do not match the event log, until the next boot. For administrators. Windows
 * also raises a counter in its archive of logs; Linux keeps no such archive.
 *
 * TBS_SUCCESS
 * TBS_E_ACCESS_DENIED          the caller is no administrator
 * TBS_E_INTERNAL_ERROR         the TPM refused
 * TBS_E_IOERROR, TBS_E_SERVICE_NOT_RUNNING, TBS_E_SERVICE_START_PENDING, TBS_E_TPM_NOT_FOUND,
 * TBS_E_TOO_MANY_TBS_CONTEXTS  as for Tbsi_Context_Create and Tbsip_Submit_Command
 *
 * Page: "Tbsi_Revoke_Attestation function". */
TBS_API TBS_RESULT Tbsi_Revoke_Attestation(void);

/* Gets an identifier of this machine's TPM 2.0: 32 bytes, always the same, until somebody replaces
 * the TPM or changes its endorsement seed. TPM2_Clear does not change it.
 *
 * It is the digest in the Name of the endorsement key: SHA-256 over the public area of the key that
 * the TPM derives from its endorsement seed with the TCG's template for P-256 (L-2), or for RSA
 * 2048 (L-1) where the TPM has no P-256. The private key never leaves the TPM, so a machine can be
 * asked to prove its identifier. It is the same for every user and can be computed from the
 * endorsement certificate: treat it as a serial number, not as a secret. (Windows derives it from
 * its own attestation identity key.)
 *
 * The TPM makes the key anew for each call, which takes some tenths of a second on real chips.
 *
 * pbWindowsAIK, cbWindowsAIK: receives the identifier; NULL and 0 ask for the size alone.
 * pcbResult: receives its size; may be NULL unless pbWindowsAIK is.
 * pfProtectedByTPM: receives 1; may be NULL.
 *
 * Returns an HRESULT: 0 or one of these codes.
 *
 * TBS_E_INVALID_OUTPUT_POINTER  pbWindowsAIK is NULL, and cbWindowsAIK is not 0 or pcbResult is
 *                               NULL
 * TBS_E_INSUFFICIENT_BUFFER     cbWindowsAIK is too small; *pcbResult is set
 * TBS_E_TPM_NOT_FOUND           there is no TPM 2.0
 * others                        as for Tbsi_Context_Create and Tbsip_Submit_Command. When the TPM
 *                               refused, 0x80280000 plus its response code: 0x802809A2
 *                               (TPM_RC_BAD_AUTH), for instance, where the endorsement hierarchy
 *                               has an authorization value
 *
 * Source: the Windows SDK's tbs.h. */
TBS_API HRESULT GetDeviceID(PBYTE pbWindowsAIK, UINT32 cbWindowsAIK, PUINT32 pcbResult,
                            BOOL* pfProtectedByTPM);

/* Gets the identifier of GetDeviceID as text: 64 hexadecimal digits in UTF-16, and a zero. Sizes
 * are in units of WCHAR, the zero included: 65.
 *
 * Returns what GetDeviceID returns.
 *
 * Source: the Windows SDK's tbs.h. */
TBS_API HRESULT GetDeviceIDString(WCHAR* pszWindowsAIK, UINT32 cchWindowsAIK, PUINT32 pcchResult,
                                  BOOL* pfProtectedByTPM);

/* Always fails, since it exists for Windows only. It belongs to the provisioning of keys by
 * Windows, which Microsoft does not document. tbsd provisions nothing: a program that needs a key
 * creates it.
 *
 * TBS_E_PROVISIONING_NOT_ALLOWED  always
 *
 * Source: the Windows SDK's tbs.h. */
TBS_API TBS_RESULT Tbsi_Create_Windows_Key(TBS_HANDLE keyHandle);

#ifdef __cplusplus
}
#endif

#endif /* _TBS_H_ */
