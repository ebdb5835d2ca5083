#pragma once

// Receives and sends on stream sockets so that a successor knows how many bytes were moved,
// whatever instruction the process is killed at (loop/counted_transfer).
//
// Each transfer has a number, one more than the last or later. The owner records what a transfer
// has done together with its number, in one commit of its journal, before it begins the next one.
// So unfinished(), asked with the number that was recorded last, says exactly what is missing
// there.
//
// One transfer at a time, on one thread.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>

#include "daemon/loop/counted_transfer.h"
#include "daemon/restart/state_memory.h"
#include "proto/byte_reader.h"

namespace tbs::restart {

class SocketTransfer {
 public:
  using Direction = loop::CountedTransfer::Direction;

  struct Moved {
    std::uint64_t number = 0;
    std::size_t bytes = 0;
  };

  // What the process before this one has done last.
  struct Unfinished {
    std::uint64_t number = 0;
    std::uint64_t who = 0;
    Direction direction = Direction::Receive;
    std::size_t bytes = 0;
  };

  // The record is kSize bytes of the memory, at a multiple of that, so that it lies in one page.
  // The memory must outlive this object. Memory of zeros is the record of no transfer.
  static constexpr std::size_t kSize = 256;
  static std::expected<SocketTransfer, std::string> open(StateMemory& memory, std::size_t offset);

  // False when the kernel may swap the record out, so that a kill in a moment when memory is short
  // could lose a number.
  [[nodiscard]] bool pinned() const { return pinned_; }

  // Receives at most `to` holds, at least one byte; 0 bytes when the peer has closed its side. An
  // error is an errno value: nothing was moved, except by EFAULT, after which the stream cannot be
  // trusted. `who` tells a successor whose bytes they are. `to` must outlive the process as well;
  // what is behind the bytes that were moved is not defined. It never waits (EAGAIN).
  std::expected<Moved, int> receive(int socket, std::uint64_t who, std::span<std::uint8_t> to);
  // The same for sending, without SIGPIPE. Who sends must be able to find the bytes again.
  std::expected<Moved, int> send(int socket, std::uint64_t who, proto::Bytes from);

  // The last transfer, if it has moved bytes and has a higher number than `recorded`. An error when
  // the record cannot be one.
  [[nodiscard]] std::expected<std::optional<Unfinished>, std::string> unfinished(
      std::uint64_t recorded) const;

 private:
  struct Record;

  SocketTransfer(Record& record, bool pinned) : record_(&record), pinned_(pinned) {}

  std::expected<Moved, int> carry_out(Direction direction, int socket, std::uint64_t who,
                                      const std::uint8_t* bytes, std::size_t size);

  Record* record_;
  bool pinned_;
};

}  // namespace tbs::restart
