#pragma once

// Frames on the stream: a 16-byte header and a payload. All integers little-endian:
//
//   offset 0  u16  protocol version (1)
//          2  u16  message type
//          4  u32  payload length
//          8  u64  request id, chosen by whoever sends the request, copied into its answer
//
// The extractor takes the stream in pieces of any size and gives back whole frames. It checks
// version, type, direction and length as soon as the header is there, so that nobody can make it
// buffer more than the largest message of its direction. After a violation it gives nothing more.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/message_list.h"

namespace tbs::proto {

struct Frame {
  Type type;
  std::uint64_t request_id;
  Bytes payload;  // valid until the extractor is used again
};

// How a peer broke the protocol at the level of frames.
enum class FrameFault : std::uint8_t { BadVersion, UnknownType, WrongDirection, BadLength };

std::string_view fault_text(FrameFault fault);

class FrameExtractor {
 public:
  // Accepts messages of one direction only.
  explicit FrameExtractor(Direction direction);

  // Room to read into: at least one byte. Invalidates the last frame.
  std::span<std::uint8_t> writable();
  // Says how many bytes of writable() were filled.
  void commit(std::size_t count);

  // The next whole frame, nothing when more bytes are needed, or the fault that ends the stream.
  std::expected<std::optional<Frame>, FrameFault> next();

  // Bytes received and not yet given out.
  [[nodiscard]] std::size_t buffered() const { return end_ - begin_; }

 private:
  Direction direction_;
  Buffer buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// Starts a frame at the end of `out`; the payload is appended by the caller and end_frame() fills
// in its length. Returns where the frame starts.
std::size_t begin_frame(Buffer& out, Type type, std::uint64_t request_id);
void end_frame(Buffer& out, std::size_t start);

}  // namespace tbs::proto
