#pragma once

// Blocking Unix sockets for programs that speak to swtpm. Everything throws std::system_error when
// the system refuses, and std::runtime_error when the peer has gone or sends nonsense.

#include <span>
#include <string>

#include "proto/byte_reader.h"
#include "tests/bench/fd.h"

namespace tbs::bench {

Fd connect_unix(const std::string& path);

void send_whole(int socket, proto::Bytes bytes);
// A TPM command or response, of the size that its header tells.
proto::Bytes receive_tpm_message(int socket, std::span<std::uint8_t> room);

}  // namespace tbs::bench
