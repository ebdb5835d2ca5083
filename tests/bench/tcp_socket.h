#pragma once

// Loopback TCP for the relay: the swtpm TCTI of tpm2-tss 3.2 speaks nothing else. Throws
// std::system_error when the system refuses.

#include <cstdint>

#include "tests/bench/fd.h"

namespace tbs::bench {

// A pair of listening sockets on neighbouring ports of 127.0.0.1: the swtpm TCTI looks for the
// control channel on the port after that of the data channel.
struct PortPair {
  Fd data;
  Fd control;
  std::uint16_t port = 0;  // of the data channel
};

PortPair listen_on_port_pair();
Fd connect_tcp(std::uint16_t port);
// The next connection; an invalid descriptor once the listening socket was shut down.
Fd accept_tcp(int listening);

}  // namespace tbs::bench
