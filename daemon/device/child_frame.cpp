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

std::expected<std::optional<ChildFrameView>, std::string> first_child_frame(proto::Bytes bytes) {
  if (bytes.size() < kHeaderSize) return std::nullopt;
  proto::ByteReader reader(bytes);
  const std::uint32_t length = reader.le32();
  if (length > kMaxFramePayload) {
    return std::unexpected("a frame announces " + std::to_string(length) + " bytes");
  }
  ChildFrameView frame{
      .sequence = reader.le32(), .kind = reader.u8(), .payload = {}, .size = kHeaderSize + length};
  if (reader.remaining() < length) return std::nullopt;
  frame.payload = reader.take(length);
  return frame;
}

std::expected<std::optional<ChildFrame>, std::string> ChildFrameAssembler::next() {
  const auto first = first_child_frame(pending_);
  if (!first) return std::unexpected(first.error());
  if (!*first) return std::nullopt;
  const ChildFrameView& view = **first;
  ChildFrame frame{.sequence = view.sequence,
                   .kind = view.kind,
                   .payload = {view.payload.begin(), view.payload.end()}};
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(view.size));
  return frame;
}

}  // namespace tbs::device
