/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The other spelling of tbs.h, for programs from a file system that does not tell them apart.
 */
#include <tbs.h>
