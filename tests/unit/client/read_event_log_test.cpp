#include "client/read_event_log.h"

#include <expected>

#include "proto/byte_writer.h"
#include "tests/support/catch2.h"

using namespace tbs;
using client::receive_log;
using proto::Status;
using Part = std::expected<proto::LogPart, Status>;

namespace {

// Hands out `log` in parts of `piece` bytes.
auto parts_of(const proto::Buffer& log, std::size_t piece) {
  return [&log, piece](std::uint64_t offset) -> Part {
    const auto rest = proto::Bytes(log).subspan(offset);
    return proto::LogPart{.more = rest.size() > piece ? 1U : 0U,
                          .bytes = rest.first(std::min(rest.size(), piece))};
  };
}

proto::Buffer counted(std::size_t size) {
  proto::Buffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

}  // namespace

TEST_CASE("a log in parts fills the room exactly, or says how much it needs", "[client][log]") {
  const auto log = counted(100);
  for (const std::size_t piece : {1U, 7U, 99U, 100U, 1000U}) {
    for (const std::size_t capacity : {0U, 1U, 50U, 99U, 100U, 200U}) {
      proto::Buffer room(capacity, 0xEE);
      std::size_t size = 7;
      const Status status = receive_log(parts_of(log, piece), room, size);
      REQUIRE(size == 100);
      REQUIRE(status == (capacity < 100 ? Status::InsufficientBuffer : Status::Success));
      const std::size_t held = std::min<std::size_t>(capacity, 100);
      REQUIRE(
          std::equal(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(held), log.begin()));
      REQUIRE(std::ranges::all_of(std::span(room).subspan(held),
                                  [](std::uint8_t byte) { return byte == 0xEE; }));
    }
  }
}

TEST_CASE("what goes wrong in any part is how the whole ends", "[client][log]") {
  const auto log = counted(100);
  std::size_t size = 0;
  proto::Buffer room(100);
  REQUIRE(receive_log([](std::uint64_t) -> Part { return std::unexpected(Status::IoError); }, room,
                      size) == Status::IoError);
  const auto fails_later = [&](std::uint64_t offset) -> Part {
    if (offset > 50) return proto::LogPart{.status = Status::AccessDenied, .bytes = {}};
    return parts_of(log, 30)(offset);
  };
  REQUIRE(receive_log(fails_later, room, size) == Status::AccessDenied);
}

TEST_CASE("a daemon that never comes to the end is not followed there", "[client][log]") {
  std::size_t size = 0;
  REQUIRE(receive_log([](std::uint64_t) -> Part { return proto::LogPart{.more = 1, .bytes = {}}; },
                      {}, size) == Status::InternalError);
  const auto part = counted(proto::kMaxLogPart);
  REQUIRE(
      receive_log([&](std::uint64_t) -> Part { return proto::LogPart{.more = 1, .bytes = part}; },
                  {}, size) == Status::BufferTooLarge);
}
