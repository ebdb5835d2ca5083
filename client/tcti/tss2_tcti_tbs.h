/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The TCTI module for tbsd. Programs usually name it to tctildr ("tbs", "tbs:/path/to.sock",
 * "tbs:socket=/path,priority=high") and need neither this header nor to link with it.
 */
#ifndef TSS2_TCTI_TBS_H
#define TSS2_TCTI_TBS_H

#include <tss2/tss2_tcti.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Initializes a TCTI context and connects it to tbsd.
 *
 * tctiContext: memory for the context; NULL to learn its size. Released with Tss2_Tcti_Finalize,
 *   after which the memory is the caller's again.
 * size: receives the size when tctiContext is NULL; otherwise the size of the memory. May then be
 *   NULL.
 * conf: NULL or "" for the usual socket; a path; or socket=PATH and priority=low|normal|high|NUMBER
 *   joined by a comma.
 *
 * One thread uses a context; cancel may be called by another. After fork() a child may go on using
 * the context: it gets a connection of its own, and loads what it needs anew. The parent's stays as
 * it was.
 *
 * TSS2_RC_SUCCESS
 * TSS2_TCTI_RC_BAD_VALUE            conf is not understood; tctiContext and size are both NULL
 * TSS2_TCTI_RC_INSUFFICIENT_BUFFER  *size is too small
 * TSS2_TCTI_RC_NO_CONNECTION        tbsd is not running
 * TSS2_TCTI_RC_TRY_AGAIN            tbsd is starting
 * TSS2_TCTI_RC_NOT_PERMITTED        the socket or tbsd does not let this user in
 * TSS2_TCTI_RC_NOT_SUPPORTED        there is no TPM 2.0
 * TSS2_TCTI_RC_MEMORY               no memory, or a limit of tbsd's is reached
 * TSS2_TCTI_RC_GENERAL_FAILURE      any other error
 */
TSS2_RC Tss2_Tcti_Tbs_Init(TSS2_TCTI_CONTEXT* tctiContext, size_t* size, const char* conf);

#ifdef __cplusplus
}
#endif

#endif /* TSS2_TCTI_TBS_H */
