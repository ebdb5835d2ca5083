#pragma once

// A command of a client and what it was answered with, as both went through the daemon: what a
// capture has. Several stand one behind the other in the answer to a request for them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::proto {

struct CapturedExchange {
  std::uint64_t number = 0;  // rises by one from one to the next
  std::uint64_t context = 0;
  std::uint32_t uid = 0;
  std::uint32_t pid = 0;
  std::uint32_t status = 0;        // TBS code of the answer; with 0 there is a response
  std::uint64_t submitted_us = 0;  // CLOCK_MONOTONIC
  std::uint64_t answered_us = 0;
  std::string program;
  Bytes command;
  Bytes response;

  // In the answer.
  [[nodiscard]] std::size_t size() const;
};

void append_exchange(Buffer& out, const CapturedExchange& exchange);
// The next one; its bytes are those of the reader. Nothing when what stands there is none.
std::optional<CapturedExchange> read_exchange(ByteReader& reader);

}  // namespace tbs::proto
