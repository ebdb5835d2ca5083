#pragma once

// Puts the event log together from the parts in which the daemon sends it, straight into the
// caller's memory: nobody holds more of it than one part besides.

#include <algorithm>
#include <cstdint>
#include <span>

#include "proto/message.h"

namespace tbs::client {

// Firmware has less than a megabyte for its log, and a peer may send parts without end.
inline constexpr std::size_t kMostLog = std::size_t{16} << 20;

// `next` asks for the part at an offset: `std::expected<LogPart, Status>(std::uint64_t)`, whose
// bytes are valid until it is called again. `size` becomes the size of the log, also with
// InsufficientBuffer, when it does not fit `room`; then room holds as much as fits.
template <typename Next>
proto::Status receive_log(Next next, std::span<std::uint8_t> room, std::size_t& size) {
  using proto::Status;
  size = 0;
  for (bool more = true; more;) {
    const auto part = next(std::uint64_t{size});
    if (!part) return part.error();
    if (part->status != Status::Success) return part->status;
    more = part->more != 0;
    if (more && part->bytes.empty()) return Status::InternalError;
    if (size < room.size()) {
      const auto fits = part->bytes.first(std::min(part->bytes.size(), room.size() - size));
      std::ranges::copy(fits, room.subspan(size).begin());
    }
    size += part->bytes.size();
    if (size > kMostLog) return Status::BufferTooLarge;
  }
  return size <= room.size() ? Status::Success : Status::InsufficientBuffer;
}

}  // namespace tbs::client
