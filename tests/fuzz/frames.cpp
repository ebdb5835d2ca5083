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
  bool known = false;
  for_each_message([&]<typename Message>(const MessageRule& rule) {
    if (rule.type != frame.type) return;
    known = true;
    check_message<Message>(frame);
  });
  require(known);  // the extractor gives out messages of the list alone
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
