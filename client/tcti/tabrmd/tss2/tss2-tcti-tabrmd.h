/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The TCTI module of tbsd that takes the place of tpm2-abrmd's. Programs that are compiled with the
 * header of either run with the module of either.
 */
#ifndef TBS_TSS2_TCTI_TABRMD_H
#define TBS_TSS2_TCTI_TABRMD_H

#include <tss2/tss2_tcti.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Initializes a TCTI context and connects it to tbsd, as Tss2_Tcti_Tbs_Init does (tss2_tcti_tbs.h).
 *
 * conf: NULL or "" for the usual socket; else bus_name=NAME and bus_type=system|session, which are
 * read and not used, and socket=PATH and priority=low|normal|high|NUMBER, joined by commas.
 */
TSS2_RC Tss2_Tcti_Tabrmd_Init(TSS2_TCTI_CONTEXT* context, size_t* size, const char* conf);

#ifdef __cplusplus
}
#endif

#endif /* TBS_TSS2_TCTI_TABRMD_H */
