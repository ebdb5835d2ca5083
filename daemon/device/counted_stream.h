#pragma once

// One direction of a stream socket during one command: the bytes that were moved, counted in memory
// that outlives the process, so that a successor goes on at the right byte.
//
// Of two records one counts. The next transfer is prepared in the other one, with the sum of what
// was moved before, and then one store makes that one count. A kill at any instruction leaves one
// or the other.

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "daemon/loop/counted_transfer.h"
#include "proto/byte_reader.h"

namespace tbs::device {

// Zeros are a stream that has moved nothing. It must lie in one page.
class CountedStream {
 public:
  // How many bytes were moved in all.
  [[nodiscard]] std::size_t moved() const;
  // Receives into `area`, behind what is there: how many bytes, 0 at the end of the stream. An
  // error is an errno value: EAGAIN when nothing has come, ENOBUFS when the area is full.
  std::expected<std::size_t, int> receive(int socket, std::span<std::uint8_t> area);
  // Sends what was not sent of `whole`, as far as the socket takes it: whether that is all now.
  std::expected<bool, int> send(int socket, proto::Bytes whole);

 private:
  struct Part {
    std::uint64_t before;
    loop::CountedTransfer transfer;
  };

  std::expected<std::size_t, int> move(loop::CountedTransfer::Direction direction, int socket,
                                       const std::uint8_t* bytes, std::size_t size);

  std::uint64_t transfers_;  // the last one is in the part of its number modulo 2
  std::array<Part, 2> parts_;
};

}  // namespace tbs::device
