/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Windows programs include winsock2.h before windows.h. Of it, the type of a socket.
 */
#ifndef TBS_COMPAT_WINSOCK2_H
#define TBS_COMPAT_WINSOCK2_H

#include <stdint.h>

typedef uintptr_t SOCKET;
#define INVALID_SOCKET (~(SOCKET)0)

#endif /* TBS_COMPAT_WINSOCK2_H */
