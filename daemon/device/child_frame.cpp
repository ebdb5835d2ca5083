#include "daemon/device/child_frame.h"

#include <cassert>

namespace tbs::device {
namespace {

constexpr std::size_t kHeaderSize = 9;

}  // namespace

proto::Buffer encode_child_frame(std::uint32_t sequence, std::uint8_t kind, proto::Bytes payload) {
  assert(payload.size() <= kMaxFramePayload);
  proto::Buffer frame;
  frame.reserve(kHeaderSize + payload.size());
  proto::ByteWriter writer(frame);
  writer.le32(static_cast<std::uint32_t>(payload.size()));
  writer.le32(sequence);
  writer.u8(kind);
  writer.bytes(payload);
  return frame;
}

void ChildFrameAssembler::append(proto::Bytes received) {
  pending_.insert(pending_.end(), received.begin(), received.end());
}

std::expected<std::optional<ChildFrame>, std::string> ChildFrameAssembler::next() {
  if (pending_.size() < kHeaderSize) return std::nullopt;
  proto::ByteReader reader(pending_);
  const std::uint32_t length = reader.le32();
  if (length > kMaxFramePayload) {
    return std::unexpected("a frame announces " + std::to_string(length) + " bytes");
  }
  ChildFrame frame{.sequence = reader.le32(), .kind = reader.u8(), .payload = {}};
  if (reader.remaining() < length) return std::nullopt;
  const proto::Bytes payload = reader.take(length);
  frame.payload.assign(payload.begin(), payload.end());
  pending_.erase(pending_.begin(),
                 pending_.begin() + static_cast<std::ptrdiff_t>(kHeaderSize + length));
  return frame;
}

}  // namespace tbs::device
