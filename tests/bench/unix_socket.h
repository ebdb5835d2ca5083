#pragma once

// Blocking Unix sockets for programs that speak to swtpm. Everything throws std::system_error when
// the system refuses, and std::runtime_error when the peer has gone or sends nonsense.

#include <span>
#include <string>

#include "client/descriptor.h"
#include "proto/byte_reader.h"

namespace tbs::bench {

client::Descriptor connect_unix(const std::string& path);
client::Descriptor listen_unix(const std::string& path);

void send_whole(int socket, proto::Bytes bytes);
// A TPM command or response, of the size that its header tells.
proto::Bytes receive_tpm_message(int socket, std::span<std::uint8_t> room);

}  // namespace tbs::bench
