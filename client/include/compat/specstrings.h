/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Windows' annotations for static analysis, which mean nothing here.
 */
#ifndef TBS_COMPAT_SPECSTRINGS_H
#define TBS_COMPAT_SPECSTRINGS_H

#ifndef _In_
#define _In_
#define _In_opt_
#define _Out_
#define _Out_opt_
#define _Inout_
#define _In_reads_bytes_(size)
#define _Out_writes_bytes_(size)
#define _Out_writes_to_(size, count)
#endif

#endif /* TBS_COMPAT_SPECSTRINGS_H */
