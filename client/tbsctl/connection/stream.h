#pragma once

// The byte stream to tbsd as the conversation needs it. The real one is a Unix socket (connect.h);
// tests put recorded frames behind it.

#include <expected>
#include <span>

#include "client/socket_stream.h"
#include "client/tbsctl/text/failure.h"
#include "proto/byte_reader.h"

namespace tbs::ctl {

class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  // Sends all of it.
  virtual std::expected<void, Failure> send(proto::Bytes bytes, client::Deadline deadline) = 0;
  // Waits for bytes and says how many came: never 0, the end of the stream is a failure.
  virtual std::expected<std::size_t, Failure> receive(std::span<std::uint8_t> room,
                                                      client::Deadline deadline) = 0;
};

}  // namespace tbs::ctl
