#include "proto/frame.h"

#include <algorithm>
#include <vector>

#include "proto/message_codec.h"
#include "tests/support/catch2.h"

using namespace tbs::proto;

namespace {

void feed(FrameExtractor& extractor, Bytes bytes) {
  while (!bytes.empty()) {
    const auto room = extractor.writable();
    const std::size_t count = std::min(room.size(), bytes.size());
    std::ranges::copy(bytes.first(count), room.begin());
    extractor.commit(count);
    bytes = bytes.subspan(count);
  }
}

Buffer submit_frame(std::uint64_t id, std::size_t command_size) {
  const Buffer command(command_size, 0x5a);
  Buffer out;
  append_frame(out, id, Submit{.locality = 1, .priority = 200, .command = command});
  return out;
}

FrameFault fault_of(Bytes bytes, Direction direction = Direction::ToDaemon) {
  FrameExtractor extractor(direction);
  feed(extractor, bytes);
  const auto frame = extractor.next();
  REQUIRE_FALSE(frame.has_value());
  return frame.error();
}

}  // namespace

TEST_CASE("a frame is found whatever the pieces it comes in", "[proto][frame]") {
  const Buffer stream = submit_frame(7, 100);
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    FrameExtractor extractor(Direction::ToDaemon);
    std::size_t frames = 0;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      feed(extractor, Bytes(stream).subspan(at, std::min(piece, stream.size() - at)));
      const auto frame = extractor.next();
      REQUIRE(frame.has_value());
      if (!frame->has_value()) continue;
      ++frames;
      REQUIRE((*frame)->type == Type::Submit);
      REQUIRE((*frame)->request_id == 7);
      REQUIRE((*frame)->payload.size() == 108);
    }
    REQUIRE(frames == 1);
  }
}

TEST_CASE("many frames in one read are given out in order", "[proto][frame]") {
  FrameExtractor extractor(Direction::ToDaemon);
  for (std::uint64_t id = 0; id < 50; ++id) feed(extractor, submit_frame(id, 10 + id * 13));
  for (std::uint64_t id = 0; id < 50; ++id) {
    const auto frame = extractor.next();
    REQUIRE(frame.has_value());
    REQUIRE(frame->has_value());
    REQUIRE((*frame)->request_id == id);
    REQUIRE((*frame)->payload.size() == 18 + id * 13);
  }
  REQUIRE(extractor.buffered() == 0);
}

TEST_CASE("the largest command fits, one byte more does not", "[proto][frame]") {
  FrameExtractor extractor(Direction::ToDaemon);
  feed(extractor, submit_frame(1, 20));
  REQUIRE(extractor.next()->has_value());
  const Buffer largest = submit_frame(2, kMaxTpmMessage);
  for (std::size_t at = 0; at < largest.size(); at += 1000) {
    feed(extractor, Bytes(largest).subspan(at, std::min<std::size_t>(1000, largest.size() - at)));
    if (at + 1000 < largest.size()) REQUIRE_FALSE(extractor.next()->has_value());
  }
  REQUIRE(extractor.next()->has_value());
  REQUIRE(fault_of(submit_frame(3, kMaxTpmMessage + 1)) == FrameFault::BadLength);
}

TEST_CASE("what no honest peer sends is refused by its header alone", "[proto][frame]") {
  Buffer frame;
  append_frame(frame, 1, Cancel{});
  SECTION("wrong version") {
    frame[0] = 2;
    REQUIRE(fault_of(frame) == FrameFault::BadVersion);
  }
  SECTION("unknown type") {
    frame[2] = 0x77;
    REQUIRE(fault_of(frame) == FrameFault::UnknownType);
  }
  SECTION("an answer sent to the daemon") {
    Buffer answer;
    append_frame(answer, 1, CancelReply{});
    REQUIRE(fault_of(answer) == FrameFault::WrongDirection);
  }
  SECTION("a length the table does not allow") {
    frame[4] = 1;
    REQUIRE(fault_of(frame) == FrameFault::BadLength);
  }
  SECTION("a length of four gigabytes") {
    Buffer submit = submit_frame(1, 10);
    std::fill_n(submit.begin() + 4, 4, std::uint8_t{0xff});
    REQUIRE(fault_of(Bytes(submit).first(kFrameHeaderSize)) == FrameFault::BadLength);
  }
}

TEST_CASE("a header alone is not a frame yet", "[proto][frame]") {
  FrameExtractor extractor(Direction::ToDaemon);
  feed(extractor, Bytes(submit_frame(1, 10)).first(kFrameHeaderSize));
  REQUIRE(extractor.next().has_value());
  REQUIRE_FALSE(extractor.next()->has_value());
}
