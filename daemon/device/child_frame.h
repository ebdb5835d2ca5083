#pragma once

// The wire between the daemon and its embedded TPM, which runs in a child process. Both directions:
//
//   le32 length of the payload | le32 sequence number | u8 kind | payload
//
// Daemon to child: a TPM command; `kind` is its locality, or kSaveState without a command. Child to
// daemon: see ReplyKind. Commands
// count from 1 (the sequence number also tells a cancel which command it means); 0 belongs to the
// child's first frame. The two programs are installed together, so there is no version.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::device {

// The child writes what its TPM has in memory into the folder, and then answers with an empty
// response. If that cannot be done, it says so on its standard error.
constexpr std::uint8_t kSaveState = 0xFF;

enum class ReplyKind : std::uint8_t {
  Response = 0,  // payload: the TPM's response to the command of that sequence number
  Ready = 1,     // first frame; no payload
  Failed = 2,    // payload: one line of text saying why; the child ends after it
};

constexpr std::size_t kMaxFramePayload = 4096;  // what libtpms takes and gives at most

struct ChildFrame {
  std::uint32_t sequence = 0;
  std::uint8_t kind = 0;
  proto::Buffer payload;
};

// A frame where it lies.
struct ChildFrameView {
  std::uint32_t sequence = 0;
  std::uint8_t kind = 0;
  proto::Bytes payload;
  std::size_t size = 0;  // of the frame as a whole
};

// The first frame of `bytes`, nothing while it is not whole, or why it cannot be one: after an
// oversized length nothing can be trusted.
std::expected<std::optional<ChildFrameView>, std::string> first_child_frame(proto::Bytes bytes);

// `payload` must not exceed kMaxFramePayload.
proto::Buffer encode_child_frame(std::uint32_t sequence, std::uint8_t kind, proto::Bytes payload);

// Puts frames together from whatever pieces the socket gives. An oversized length breaks it for
// good: nothing after it can be trusted.
class ChildFrameAssembler {
 public:
  void append(proto::Bytes received);

  // The next complete frame, nothing while more bytes are needed, or why the stream is broken.
  std::expected<std::optional<ChildFrame>, std::string> next();

 private:
  proto::Buffer pending_;
};

}  // namespace tbs::device
