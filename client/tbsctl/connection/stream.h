#pragma once

// The byte stream to tbsd as the conversation needs it. The real one is a Unix socket (connect.h);
// tests put recorded frames behind it.

#include <expected>
#include <span>

#include "client/tbsctl/text/failure.h"
#include "proto/byte_reader.h"

namespace tbs::ctl {

// What is waited for, and so how long: what the daemon says about itself comes at once, what
// concerns the TPM when that has been started, and a TPM command takes as long as it takes.
enum class Patience : std::uint8_t { Answer, Start, Command };

class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  // Sends all of it.
  virtual std::expected<void, Failure> send(proto::Bytes bytes) = 0;
  // Waits for bytes and says how many came: never 0, the end of the stream is a failure.
  virtual std::expected<std::size_t, Failure> receive(std::span<std::uint8_t> room,
                                                      Patience patience) = 0;
};

}  // namespace tbs::ctl
