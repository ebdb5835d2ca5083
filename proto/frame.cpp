#include "proto/frame.h"

#include <algorithm>
#include <array>

namespace tbs::proto {
namespace {

// What one read can take at first; a frame that needs more makes the buffer grow to its own size.
// Each connection has so much, also while it is idle.
constexpr std::size_t kInitialBuffer = 1024;

struct Header {
  std::uint16_t version;
  std::uint16_t type;
  std::uint32_t length;
  std::uint64_t request_id;
};

Header read_header(Bytes bytes) {
  ByteReader reader(bytes);
  return {.version = reader.le16(),
          .type = reader.le16(),
          .length = reader.le32(),
          .request_id = reader.le64()};
}

std::optional<FrameFault> check(const Header& header, Direction direction) {
  if (header.version != kFrameVersion) return FrameFault::BadVersion;
  const MessageRule* const rule = rule_of(header.type);
  if (rule == nullptr) return FrameFault::UnknownType;
  if (rule->direction != direction) return FrameFault::WrongDirection;
  if (header.length < rule->min_payload || header.length > rule->max_payload) {
    return FrameFault::BadLength;
  }
  return std::nullopt;
}

}  // namespace

std::string_view fault_text(FrameFault fault) {
  switch (fault) {
    case FrameFault::BadVersion:
      return "unknown protocol version";
    case FrameFault::UnknownType:
      return "unknown message type";
    case FrameFault::WrongDirection:
      return "message of the wrong direction";
    case FrameFault::BadLength:
      return "message of a wrong length";
  }
  return "unknown fault";
}

FrameExtractor::FrameExtractor(Direction direction) : direction_(direction) {}

std::span<std::uint8_t> FrameExtractor::writable() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    // After a long message; most are short.
    if (buffer_.size() > kInitialBuffer) buffer_ = {};
  }
  if (buffer_.empty()) buffer_.resize(kInitialBuffer);
  if (begin_ > 0 && end_ == buffer_.size()) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
  return std::span(buffer_).subspan(end_);
}

void FrameExtractor::commit(std::size_t count) {
  end_ += std::min(count, buffer_.size() - end_);
}

std::expected<std::optional<Frame>, FrameFault> FrameExtractor::next() {
  const Bytes pending = Bytes(buffer_).subspan(begin_, end_ - begin_);
  if (pending.size() < kFrameHeaderSize) return std::nullopt;
  const Header header = read_header(pending);
  if (const auto fault = check(header, direction_)) return std::unexpected(*fault);
  if (pending.size() - kFrameHeaderSize < header.length) return std::nullopt;
  begin_ += kFrameHeaderSize + header.length;
  return Frame{.type = static_cast<Type>(header.type),
               .request_id = header.request_id,
               .payload = pending.subspan(kFrameHeaderSize, header.length)};
}

std::size_t begin_frame(Buffer& out, Type type, std::uint64_t request_id) {
  const std::size_t start = out.size();
  // All at once: a vector checks its room at each call.
  std::array<std::uint8_t, kFrameHeaderSize> header{};
  const auto put = [&header](std::size_t at, std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) {
      header[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
  };
  put(0, kFrameVersion, 2);
  put(2, number_of(type), 2);
  put(8, request_id, 8);
  out.insert(out.end(), header.begin(), header.end());
  return start;
}

void end_frame(Buffer& out, std::size_t start) {
  const std::size_t length = out.size() - start - kFrameHeaderSize;
  for (unsigned i = 0; i < 4; ++i) {
    out[start + 4 + i] = static_cast<std::uint8_t>(length >> (8 * i));
  }
}

}  // namespace tbs::proto
