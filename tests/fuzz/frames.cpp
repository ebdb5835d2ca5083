// The stream between clients and tbsd, in both directions, cut into pieces of any size. Frames must
// not depend on how the stream was cut, and a message that decodes must encode to the same bytes.
//
// The first byte of the input chooses the direction and the size of the pieces.

#include <algorithm>
#include <cstdlib>

#include "proto/frame.h"
#include "proto/message_codec.h"

using namespace tbs::proto;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

template <typename Message>
void check_message(const Frame& frame) {
  const auto message = decode<Message>(frame.payload);
  if (!message) return;
  Buffer again;
  append_frame(again, frame.request_id, *message);
  require(std::ranges::equal(Bytes(again).subspan(kFrameHeaderSize), frame.payload));
}

void check_payload(const Frame& frame) {
  switch (frame.type) {
    case Type::Hello:
      return check_message<Hello>(frame);
    case Type::Submit:
      return check_message<Submit>(frame);
    case Type::Cancel:
      return check_message<Cancel>(frame);
    case Type::DeviceInfo:
      return check_message<DeviceInfo>(frame);
    case Type::ListContexts:
      return check_message<ListContexts>(frame);
    case Type::CancelContext:
      return check_message<CancelContext>(frame);
    case Type::DaemonStatus:
      return check_message<DaemonStatus>(frame);
    case Type::HelloReply:
      return check_message<HelloReply>(frame);
    case Type::Result:
      return check_message<Result>(frame);
    case Type::CancelReply:
      return check_message<CancelReply>(frame);
    case Type::DeviceInfoReply:
      return check_message<DeviceInfoReply>(frame);
    case Type::ContextList:
      return check_message<ContextList>(frame);
    case Type::CancelContextReply:
      return check_message<CancelContextReply>(frame);
    case Type::DaemonStatusReply:
      return check_message<DaemonStatusReply>(frame);
    case Type::ListLimits:
      return check_message<ListLimits>(frame);
    case Type::LimitList:
      return check_message<LimitList>(frame);
    case Type::LockoutStatus:
      return check_message<LockoutStatus>(frame);
    case Type::LockoutStatusReply:
      return check_message<LockoutStatusReply>(frame);
    case Type::LockoutReset:
      return check_message<LockoutReset>(frame);
    case Type::LockoutResetReply:
      return check_message<LockoutResetReply>(frame);
    case Type::MakeSticky:
      return check_message<MakeSticky>(frame);
    case Type::MakeStickyReply:
      return check_message<MakeStickyReply>(frame);
    case Type::ReadLog:
      return check_message<ReadLog>(frame);
    case Type::LogPart:
      return check_message<LogPart>(frame);
    case Type::PhysicalPresence:
      return check_message<PhysicalPresence>(frame);
    case Type::PhysicalPresenceReply:
      return check_message<PhysicalPresenceReply>(frame);
    case Type::OwnerAuth:
      return check_message<OwnerAuth>(frame);
    case Type::OwnerAuthReply:
      return check_message<OwnerAuthReply>(frame);
    case Type::RevokeAttestation:
      return check_message<RevokeAttestation>(frame);
    case Type::RevokeAttestationReply:
      return check_message<RevokeAttestationReply>(frame);
    case Type::Refusal:
      return check_message<Refusal>(frame);
  }
  require(false);  // the extractor gives only types of the table
}

struct Taken {
  Buffer frames;  // encoded again
  bool broken = false;
};

// Gives out what is whole; false once the stream is broken.
bool take_frames(FrameExtractor& extractor, Taken& taken) {
  while (true) {
    const auto frame = extractor.next();
    taken.broken = !frame.has_value();
    if (taken.broken) return false;
    if (!*frame) return true;
    check_payload(**frame);
    const std::size_t start = begin_frame(taken.frames, (*frame)->type, (*frame)->request_id);
    taken.frames.insert(taken.frames.end(), (*frame)->payload.begin(), (*frame)->payload.end());
    end_frame(taken.frames, start);
  }
}

Taken take_all(Bytes stream, Direction direction, std::size_t piece) {
  FrameExtractor extractor(direction);
  Taken taken;
  while (!stream.empty()) {
    const auto room = extractor.writable();
    require(!room.empty());
    const Bytes part = stream.first(std::min({piece, room.size(), stream.size()}));
    std::ranges::copy(part, room.begin());
    extractor.commit(part.size());
    stream = stream.subspan(part.size());
    if (!take_frames(extractor, taken)) break;
  }
  return taken;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Direction direction = (data[0] & 1U) == 0 ? Direction::ToDaemon : Direction::ToClient;
  const Bytes stream(data + 1, size - 1);
  const Taken whole = take_all(stream, direction, stream.size());
  const Taken pieces = take_all(stream, direction, 1U + (data[0] >> 1U));
  require(whole.frames == pieces.frames && whole.broken == pieces.broken);
  require(whole.frames.size() <= stream.size());
  require(std::ranges::equal(whole.frames, stream.first(whole.frames.size())));
  return 0;
}
