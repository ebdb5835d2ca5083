#pragma once

// Commands and responses as packets of TCP connections, because that is where Wireshark's dissector
// looks for a TPM: port 2321, a command from a higher port to it, a response from it. Each context
// is a connection of its own.

#include <cstdint>
#include <map>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {

class TcpPackets {
 public:
  // IPv4 packets with a whole command or response each, of at most 64 KiB less the headers.
  proto::Buffer command(std::uint64_t context, proto::Bytes bytes);
  proto::Buffer response(std::uint64_t context, proto::Bytes bytes);

 private:
  // Bytes sent so far in each direction, from 1 on.
  struct Stream {
    std::uint32_t commands = 1;
    std::uint32_t responses = 1;
  };

  std::map<std::uint64_t, Stream> streams_;
};

}  // namespace tbs::ctl
