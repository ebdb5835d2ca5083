#include "daemon/device/response_memory.h"

#include <algorithm>
#include <array>

#include "tests/support/catch2.h"

using namespace tbs::device;

namespace {

struct Something {
  static constexpr std::uint64_t kKind = 7;
  std::uint64_t kind;
  std::array<std::uint8_t, 100> bytes;
};
struct OtherThing {
  static constexpr std::uint64_t kKind = 8;
  std::uint64_t kind;
};

struct alignas(4096) Pages {
  std::array<std::uint8_t, ResponseMemory::kSize> bytes{};
};

}  // namespace

TEST_CASE("new memory has no command", "[restart]") {
  Pages pages;
  CHECK(ResponseMemory(pages.bytes).number() == 0);
  CHECK_FALSE(ResponseMemory(pages.bytes).knows<Something>());
}

TEST_CASE("a successor finds the command and what is known of the device", "[restart]") {
  Pages pages;
  ResponseMemory memory(pages.bytes);
  memory.device<Something>() = {.kind = Something::kKind, .bytes = {1, 2, 3}};
  memory.begin(5);
  memory.command().phase = ResponseMemory::kWritten;
  memory.response()[0] = 0x80;

  ResponseMemory successor(pages.bytes);
  CHECK(successor.number() == 5);
  CHECK(successor.command().phase == ResponseMemory::kWritten);
  CHECK(successor.response()[0] == 0x80);
  CHECK(successor.response().size() == ResponseMemory::kMostResponse);
  REQUIRE(successor.knows<Something>());
  CHECK_FALSE(successor.knows<OtherThing>());
  CHECK(successor.device<Something>().bytes[2] == 3);
}

TEST_CASE("the next command knows nothing of the last", "[restart]") {
  Pages pages;
  ResponseMemory memory(pages.bytes);
  memory.begin(5);
  memory.command() = {.phase = ResponseMemory::kFailed, .error = 5, .started = 9};
  std::ranges::fill(memory.response(), std::uint8_t{0xFF});
  memory.begin(6);
  CHECK(memory.number() == 6);
  CHECK(memory.command().phase == ResponseMemory::kBegun);
  CHECK(memory.command().error == 0);
  CHECK(memory.command().started == 0);
  CHECK(memory.command().sent.moved() == 0);
  CHECK(std::ranges::count(memory.response().first(32), 0) == 32);
}

TEST_CASE("what another version has left is not read", "[restart]") {
  Pages pages;
  ResponseMemory memory(pages.bytes);
  memory.device<Something>().kind = Something::kKind;
  memory.begin(5);
  ++pages.bytes[0];
  ResponseMemory successor(pages.bytes);
  CHECK(successor.number() == 0);
  CHECK_FALSE(successor.knows<Something>());
  successor.begin(6);
  CHECK(successor.number() == 6);
}
