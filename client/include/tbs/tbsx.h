/* SPDX-License-Identifier: BSD-2-Clause
 *
 * tbsx.h: what libtbs adds to the TPM Base Services API on Linux: choosing the daemon's socket, and
 * submitting commands without waiting for them or with a time-out, and cancelling from a signal
 * handler.
 *
 * The conventions are those of tbs.h: every function may be called from any thread, buffers belong
 * to the caller, handles are checked, and TBS_E_INTERNAL_ERROR can come from every function.
 *
 * Submitting from an event loop:
 *
 *   Tbsx_Get_Poll_Descriptor(context, &fd);          once; watch fd for readability
 *   Tbsx_Submit_Begin(context, 0, TBS_COMMAND_PRIORITY_NORMAL, command, size, &request);
 *   ...                                              fd turned readable:
 *   length = sizeof buffer;
 *   result = Tbsx_Submit_Result(context, request, buffer, &length, 0);
 *   if (result == TBSX_E_PENDING) go on watching;    a spurious wake-up
 */
#ifndef TBSX_H
#define TBSX_H

#include "tbs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The command is not answered yet. Not a code of Windows: bit 29, which Microsoft reserves for
 * others, is set. */
#define TBSX_E_PENDING 0xA0284001U

/* The command was given up, since there was no response in time. With the same bit. */
#define TBSX_E_TIMED_OUT 0xA0284002U

/* The service that runs is older than this library and cannot do that. With the same bit. */
#define TBSX_E_NOT_SUPPORTED 0xA0284003U

/* A command begun with Tbsx_Submit_Begin; never 0. Has a meaning only together with its context. */
typedef UINT64 TBSX_REQUEST;

/* What the service said when the context was connected last. After a restart the number is another,
 * and the TPM may be. 16 bytes. */
typedef struct TBSX_CONTEXT_INFO {
  UINT64 number;      /* of the context, as `tbsctl contexts` shows it */
  UINT32 maxCommand;  /* longest command that the TPM takes, in bytes */
  UINT32 maxResponse; /* longest response that can come, in bytes */
} TBSX_CONTEXT_INFO;

/* Chooses the socket for all contexts that this process creates from now on. It is used instead of
 * TBS_SOCKET and the default path.
 *
 * path: a socket file, at most 107 bytes; copied. NULL goes back to the default.
 *
 * TBS_SUCCESS
 * TBS_E_BAD_PARAMETER  path is empty or too long */
TBS_API TBS_RESULT Tbsx_Set_Socket(const char* path);

/* Opens a context like Tbsi_Context_Create, on a socket of the caller's choice.
 *
 * path: a socket file, at most 107 bytes; NULL means the same as Tbsi_Context_Create.
 *
 * Returns what Tbsi_Context_Create returns, and TBS_E_BAD_PARAMETER when path is empty or too long.
 */
TBS_API TBS_RESULT Tbsx_Context_Create(PCTBS_CONTEXT_PARAMS pContextParams, const char* path,
                                       PTBS_HCONTEXT phContext);

/* Gets the number of a context and the longest command and response.
 *
 * info: receives them.
 *
 * TBS_SUCCESS
 * TBS_E_INVALID_CONTEXT         hContext is not a live context of this process
 * TBS_E_INVALID_OUTPUT_POINTER  info is NULL */
TBS_API TBS_RESULT Tbsx_Get_Context_Info(TBS_HCONTEXT hContext, TBSX_CONTEXT_INFO* info);

/* Submits one TPM command, and cancels it when there is no response in time. It cancels as
 * Tbsip_Cancel_Commands does: everything that the context has outstanding, other threads' commands
 * included. A thread whose time-outs shall touch nobody has a context of its own. The other
 * parameters are those of Tbsip_Submit_Command.
 *
 * timeout: how long to wait, in milliseconds; a negative one waits for ever. The wait for a
 *   starting service is part of it. The cancel at its end takes 10 ms as a rule, and at most a
 *   second, with a service that stands still.
 *
 * TBSX_E_TIMED_OUT             given up: a command that was waiting has not run; one on the TPM may
 *                              have, or may still run to its end (what it creates is flushed)
 * TBS_SUCCESS                  there is a response; it may be one that came during the cancel
 * TBS_E_TOO_MANY_RESOURCES     as many as the service allows (32) are outstanding
 * TBS_E_SERVICE_START_PENDING  there was no service in time
 * others                       those of Tbsip_Submit_Command
 */
TBS_API TBS_RESULT Tbsx_Submit_Timeout(TBS_HCONTEXT hContext, TBS_COMMAND_LOCALITY Locality,
                                       TBS_COMMAND_PRIORITY Priority, PCBYTE pabCommand,
                                       UINT32 cbCommand, PBYTE pabResult, PUINT32 pcbResult,
                                       INT32 timeout);

/* Submits one TPM command and returns without waiting for its response. The other parameters are
 * those of Tbsip_Submit_Command; the command is copied. When the socket is full it waits for the
 * service to read, never for the TPM.
 *
 * request: receives the number under which to take the result.
 *
 * A context has at most as many commands outstanding as the service allows (32), those whose
 * result was not taken included. Results must be taken, also after Tbsip_Cancel_Commands.
 *
 * TBS_SUCCESS
 * TBS_E_INVALID_CONTEXT         hContext is not a live context of this process
 * TBS_E_BAD_PARAMETER           pabCommand is NULL, cbCommand is below ten, or the header of the
 *                               command names another size
 * TBS_E_INVALID_OUTPUT_POINTER  request is NULL
 * TBS_E_BUFFER_TOO_LARGE        the command is longer than the TPM takes
 * TBS_E_TOO_MANY_RESOURCES      too many are outstanding: take a result first
 * TBS_E_SERVICE_NOT_RUNNING     the service is not running
 * others                        as for Tbsi_Context_Create, when there has to be a new connection
 */
TBS_API TBS_RESULT Tbsx_Submit_Begin(TBS_HCONTEXT hContext, TBS_COMMAND_LOCALITY Locality,
                                     TBS_COMMAND_PRIORITY Priority, PCBYTE pabCommand,
                                     UINT32 cbCommand, TBSX_REQUEST* request);

/* Takes the result of a command begun with Tbsx_Submit_Begin. Each result can be taken once: the
 * request number is used up by any return code other than TBSX_E_PENDING, TBS_E_INSUFFICIENT_BUFFER
 * and those marked (*).
 *
 * pabResult, pcbResult: as for Tbsip_Submit_Command. To learn the size alone, pass NULL and a size
 *   of 0.
 * timeout: how long to wait, in milliseconds; 0 does not wait, a negative one waits for ever.
 *
 * TBS_SUCCESS                      there is a response
 * TBSX_E_PENDING                   not answered within the timeout; ask again
 * TBS_E_INSUFFICIENT_BUFFER        *pcbResult is the size needed; the response stays and can be
 *                                  taken with a larger buffer
 * TBS_E_INVALID_CONTEXT (*)        hContext is not a live context of this process
 * TBS_E_BAD_PARAMETER (*)          there is no such request, its result was taken, or another
 *                                  thread is waiting for it
 * TBS_E_INVALID_OUTPUT_POINTER (*) pcbResult is NULL, or pabResult is NULL and *pcbResult is not 0
 * TBS_E_BUFFER_TOO_LARGE (*)       *pcbResult is above TBS_IN_OUT_BUF_SIZE_MAX
 * others                           how the command ended: those of Tbsip_Submit_Command. A locality
 *                                  above 4 gives TBS_E_BAD_PARAMETER here and uses the request up
 */
TBS_API TBS_RESULT Tbsx_Submit_Result(TBS_HCONTEXT hContext, TBSX_REQUEST request, PBYTE pabResult,
                                      PUINT32 pcbResult, INT32 timeout);

/* Cancels one command begun with Tbsx_Submit_Begin, and nothing else of its context: one that waits
 * for the TPM does not run, one that runs is cancelled there. It does not wait for the service: how
 * the command ended is in its result, which must be taken as any other. It may still be a response
 * that was on its way. Any thread. A cancel of several is Tbsip_Cancel_Commands.
 *
 * TBS_SUCCESS            the service is told, or the result was there already
 * TBS_E_INVALID_CONTEXT  hContext is not a live context of this process
 * TBS_E_BAD_PARAMETER    there is no such request, or its result was taken
 * TBSX_E_NOT_SUPPORTED   the service is too old for it, and nothing was cancelled */
TBS_API TBS_RESULT Tbsx_Cancel_Request(TBS_HCONTEXT hContext, TBSX_REQUEST request);

/* Gets a descriptor that turns readable when a result is ready. For poll, epoll or select, which
 * may wake spuriously: check with Tbsx_Submit_Result and a timeout of 0. It stays readable as long
 * as a result has not been taken. When the service goes away with commands of Tbsx_Submit_Begin,
 * each has a result; with none, the descriptor stays as it is.
 *
 * fd: receives the descriptor. It belongs to the context: do not read, change or close it. It is
 *   the same for every call, also after a restart of the service, and gone with
 *   Tbsip_Context_Close.
 *
 * TBS_SUCCESS
 * TBS_E_INVALID_CONTEXT         hContext is not a live context of this process
 * TBS_E_INVALID_OUTPUT_POINTER  fd is NULL */
TBS_API TBS_RESULT Tbsx_Get_Poll_Descriptor(TBS_HCONTEXT hContext, int* fd);

/* Gets a descriptor with which to cancel where no function may be called: in a signal handler, or
 * in a loop that must not wait. Eight bytes, a UINT64 that is not 0, written to it have the effect
 * of Tbsip_Cancel_Commands, and write(2) returns at once; it is safe in a signal handler:
 *
 *   static void on_signal(int number) { UINT64 one = 1; (void)!write(fd, &one, sizeof one); }
 *
 * A thread that waits in Tbsip_Submit_Command, Tbsx_Submit_Timeout or Tbsx_Submit_Result sees to
 * it. In an event loop the poll descriptor turns readable, and Tbsx_Submit_Result with a timeout of
 * 0 sees to it. What is written while nothing is outstanding stays for the next command, so that a
 * signal just before a call is not lost: read the eight bytes to take it back. A thread that was
 * waiting before the first call of this function is not reached, nor one that waits for a service
 * that is starting.
 *
 * fd: receives the descriptor, an eventfd(2) that does not block. It belongs to the context: do not
 *   close it. It is the same for every call, and gone with Tbsip_Context_Close.
 *
 * TBS_SUCCESS
 * TBS_E_INVALID_CONTEXT         hContext is not a live context of this process
 * TBS_E_INVALID_OUTPUT_POINTER  fd is NULL */
TBS_API TBS_RESULT Tbsx_Get_Cancel_Descriptor(TBS_HCONTEXT hContext, int* fd);

/* Describe a return code, by its name or in a line of English.
 *
 * Returns a constant text: the name, such as "TBS_E_COMMAND_CANCELED", or the line. Never NULL, not
 * even for a number that is no return code. */
TBS_API const char* Tbsx_Result_Name(TBS_RESULT result);
TBS_API const char* Tbsx_Result_Text(TBS_RESULT result);

#ifdef __cplusplus
}
#endif

#endif /* TBSX_H */
