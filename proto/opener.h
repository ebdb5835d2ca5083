#pragma once

// For whom a service speaks: the first bytes of every connection to the socket that only such a
// service may open. All that follows on the connection is as on any other, and the one who is named
// here is its client. On other sockets these bytes are no frame.

#include <cstdint>
#include <optional>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::proto {

// Who opened a node of the service's, as the kernel told the service.
struct Opener {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t pid = 0;  // of the thread that opened it; 0 where it cannot be named here

  bool operator==(const Opener&) const = default;
};

inline constexpr std::size_t kOpenerSize = 20;

Buffer opener_bytes(const Opener& opener);
// Nothing unless it is one, whole and no longer, and names a user and a group.
std::optional<Opener> read_opener(Bytes bytes);

}  // namespace tbs::proto
