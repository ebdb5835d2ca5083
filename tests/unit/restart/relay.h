#pragma once

// Passes bytes on from one socket to another, and keeps what it knows in memory that outlives it:
// the smallest program that receives, sends and keeps books as a process must that can be killed at
// any instruction.

#include <cstdint>
#include <expected>
#include <string>

#include "daemon/restart/journal.h"
#include "daemon/restart/socket_transfer.h"
#include "daemon/restart/state_memory.h"

namespace tbs::test {

class Relay {
 public:
  // What the journal has: the newest entry counts.
  struct Books {
    std::uint64_t number = 0;  // of the last transfer that is in here
    std::uint64_t begin = 0;   // of what is in the buffer
    std::uint64_t end = 0;
    std::uint64_t received = 0;  // in all
    std::uint64_t sent = 0;
  };

  static constexpr std::size_t kMemory = 8192;
  static constexpr std::size_t kBuffer = 512;

  // Begins, or goes on for one that was killed. A relay that finds a mistake aborts.
  Relay(restart::StateMemory& memory, int from, int to);

  [[nodiscard]] restart::SocketTransfer::Direction next() const;
  // One transfer; false when the socket is not ready for it.
  bool turn();

  // What a successor would know if the relay were killed now. It changes nothing in the memory.
  static Books seen(restart::StateMemory& memory);

 private:
  void record();

  int from_;
  int to_;
  std::span<std::uint8_t> buffer_;
  restart::SocketTransfer transfer_;
  restart::Journal journal_;
  Books books_;
};

}  // namespace tbs::test
