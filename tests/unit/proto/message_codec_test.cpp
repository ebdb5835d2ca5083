// Every message of the list, whichever there are: none can be added that is not tested here.

#include "proto/message_codec.h"

#include "tests/support/catch2.h"
#include "tests/support/sample_message.h"

using namespace tbs::proto;
using namespace tbs::test;

namespace {

// Large enough for some of everything, small enough to try each length.
constexpr std::uint32_t kSomeSize = 700;

std::size_t some_size(std::mt19937& random, const MessageRule& rule) {
  const std::uint32_t most = std::max(rule.min_payload, std::min(rule.max_payload, kSomeSize));
  return std::uniform_int_distribution<std::size_t>(rule.min_payload, most)(random);
}

template <typename Message>
Buffer encoded(const Message& message) {
  Buffer frame;
  append_frame(frame, 42, message);
  return frame;
}

void feed(FrameExtractor& extractor, Bytes bytes) {
  while (!bytes.empty()) {
    const auto room = extractor.writable();
    const std::size_t count = std::min(room.size(), bytes.size());
    std::ranges::copy(bytes.first(count), room.begin());
    extractor.commit(count);
    bytes = bytes.subspan(count);
  }
}

// The same payload, through a message, a frame and back.
template <typename Message>
void survives(const Buffer& payload, const MessageRule& rule) {
  const auto message = decode<Message>(payload);
  REQUIRE(message.has_value());
  FrameExtractor extractor(rule.direction);
  feed(extractor, encoded(*message));
  const auto frame = extractor.next();
  REQUIRE(frame.has_value());
  REQUIRE(frame->has_value());
  CHECK((*frame)->type == rule.type);
  CHECK((*frame)->request_id == 42);
  CHECK(std::ranges::equal((*frame)->payload, payload));
  const auto back = decode<Message>((*frame)->payload);
  REQUIRE(back.has_value());
  CHECK(written_down(*back) == written_down(*message));
}

// What decodes must encode to the same bytes: then nothing was invented or left out.
template <typename Message>
bool decodes_faithfully(Bytes payload) {
  const auto message = decode<Message>(payload);
  if (!message) return false;
  CHECK(std::ranges::equal(Bytes(encoded(*message)).subspan(kFrameHeaderSize), payload));
  return true;
}

void mutate(std::mt19937& random, Buffer& bytes) {
  const auto number = static_cast<std::uint8_t>(random());
  const std::size_t at = random() % (bytes.size() + 1);
  const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  switch (at == bytes.size() ? 0 : random() % 4) {
    case 0:
      bytes.insert(place, number);
      break;
    case 1:
      bytes.erase(place);
      break;
    case 2:
      bytes.resize(at);
      break;
    default:
      *place = number;
      break;
  }
}

}  // namespace

TEST_CASE("each message survives the wire, from the smallest to the largest", "[proto][message]") {
  std::mt19937 random(1);
  for_each_message([&]<typename Message>(const MessageRule& rule) {
    INFO(rule.name);
    const Buffer smallest = sample_payload<Message>(random, rule.min_payload);
    const Buffer largest = sample_payload<Message>(random, rule.max_payload);
    CHECK(smallest.size() == rule.min_payload);
    CHECK(largest.size() == rule.max_payload);
    survives<Message>(smallest, rule);
    survives<Message>(largest, rule);
    for (int round = 0; round < 20; ++round) {
      survives<Message>(sample_payload<Message>(random, some_size(random, rule)), rule);
    }
  });
}

TEST_CASE("a message without anything in it is no larger than the list says", "[proto][message]") {
  for_each_message([]<typename Message>(const MessageRule& rule) {
    INFO(rule.name);
    const std::size_t size = encoded(Message{}).size() - kFrameHeaderSize;
    CHECK(size <= rule.max_payload);
    // Smaller than allowed only where some bytes must be there, as a TPM header.
    CHECK((size == rule.min_payload || (size < rule.min_payload && runs_to_the_end<Message>())));
  });
}

TEST_CASE("a message cut short anywhere is not taken for a whole one", "[proto][message]") {
  std::mt19937 random(2);
  for_each_message([&]<typename Message>(const MessageRule& rule) {
    INFO(rule.name);
    const Buffer payload = sample_payload<Message>(random, some_size(random, rule));
    for (std::size_t size = 0; size < payload.size(); ++size) {
      INFO(size);
      const bool decoded = decodes_faithfully<Message>(Bytes(payload).first(size));
      if (decoded) CHECK(runs_to_the_end<Message>());
    }
    Buffer longer = payload;
    longer.push_back(0);
    CHECK((!decodes_faithfully<Message>(longer) || runs_to_the_end<Message>()));
  });
}

TEST_CASE("a frame is given out when its last byte has come", "[proto][message]") {
  std::mt19937 random(3);
  for_each_message([&]<typename Message>(const MessageRule& rule) {
    INFO(rule.name);
    const Buffer payload = sample_payload<Message>(random, some_size(random, rule));
    const Buffer frame = encoded(decode<Message>(payload).value());
    FrameExtractor extractor(rule.direction);
    for (std::size_t size = 0; size < frame.size(); ++size) {
      const auto early = extractor.next();
      REQUIRE(early.has_value());
      REQUIRE_FALSE(early->has_value());
      feed(extractor, Bytes(frame).subspan(size, 1));
    }
    const auto whole = extractor.next();
    REQUIRE(whole.has_value());
    CHECK(whole->has_value());
  });
}

TEST_CASE("whatever becomes of a message, what decodes is what was there", "[proto][message]") {
  std::mt19937 random(4);
  for_each_message([&]<typename Message>(const MessageRule& rule) {
    INFO(rule.name);
    for (int round = 0; round < 300; ++round) {
      Buffer payload = sample_payload<Message>(random, some_size(random, rule));
      for (unsigned count = 1 + random() % 8; count > 0; --count) mutate(random, payload);
      decodes_faithfully<Message>(payload);
    }
  });
}

TEST_CASE("each message is taken in its direction and within its bounds alone",
          "[proto][message]") {
  for_each_message([]<typename Message>(const MessageRule& rule) {
    INFO(rule.name);
    const auto said = [&](Direction direction, std::size_t length) {
      Buffer frame;
      const std::size_t start = begin_frame(frame, Message::kType, 1);
      frame.resize(frame.size() + length);
      end_frame(frame, start);
      FrameExtractor extractor(direction);
      feed(extractor, Bytes(frame).first(kFrameHeaderSize));
      const auto next = extractor.next();
      return next ? std::optional<FrameFault>() : next.error();
    };
    const Direction other =
        rule.direction == Direction::ToDaemon ? Direction::ToClient : Direction::ToDaemon;
    CHECK(said(rule.direction, rule.min_payload) == std::nullopt);
    CHECK(said(rule.direction, rule.max_payload) == std::nullopt);
    CHECK(said(other, rule.min_payload) == FrameFault::WrongDirection);
    CHECK(said(rule.direction, rule.max_payload + 1) == FrameFault::BadLength);
    if (rule.min_payload > 0) {
      CHECK(said(rule.direction, rule.min_payload - 1) == FrameFault::BadLength);
    }
  });
}

TEST_CASE("a text longer than the limit is cut, not refused", "[proto][message]") {
  const Buffer frame = encoded(Refusal{.reason = std::string(1000, 'x')});
  const auto refusal = decode<Refusal>(Bytes(frame).subspan(kFrameHeaderSize));
  REQUIRE(refusal.has_value());
  CHECK(refusal->reason == std::string(kMaxText, 'x'));
}
