/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Windows programs include winsock2.h before windows.h. Of it, the type of a socket, and the byte
 * order of the network, which TPM commands are in: htons, htonl, ntohs and ntohl.
 */
#ifndef TBS_COMPAT_WINSOCK2_H
#define TBS_COMPAT_WINSOCK2_H

#include <stdint.h>

#include <arpa/inet.h>

typedef uintptr_t SOCKET;
#define INVALID_SOCKET (~(SOCKET)0)

#endif /* TBS_COMPAT_WINSOCK2_H */
