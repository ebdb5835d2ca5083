#include "daemon/base/record.h"

#include <array>
#include <map>

#include "daemon/base/fingerprint.h"
#include "tests/support/catch2.h"

using namespace tbs;
using proto::Buffer;

namespace {

enum class Choice : std::uint8_t { First, Last };

struct Inner {
  std::uint16_t number = 0;
  std::vector<std::uint32_t> list;

  template <typename Record>
  void fields(Record& record) {
    record(number, list);
  }
};

struct Outer {
  bool flag = false;
  std::int32_t negative = 0;
  std::size_t size = 0;
  std::string text;
  Buffer raw;
  std::optional<Inner> inner;
  std::map<std::uint8_t, std::uint8_t> map;
  std::chrono::seconds seconds{};
  Choice choice = Choice::First;

  template <typename Record>
  void fields(Record& record) {
    record.part({.name = "outer", .version = 2});
    record(flag, negative, size, text, raw, inner, map, seconds);
    record.choice(choice, Choice::Last);
  }
};

Outer example() {
  return {.flag = true,
          .negative = -5,
          .size = 70000,
          .text = "words",
          .raw = {1, 2, 3},
          .inner = Inner{.number = 7, .list = {8, 9}},
          .map = {{1, 2}, {3, 4}},
          .seconds = std::chrono::seconds(-3),
          .choice = Choice::Last};
}

Buffer recorded(const Outer& outer) {
  Buffer bytes;
  RecordWriter record(bytes);
  record(outer);
  return bytes;
}

// What is wrong with a record of one value.
template <typename Value>
std::string refusal(const Buffer& bytes) {
  RecordReader record(bytes);
  Value value{};
  record(value);
  record.end();
  return record.reason();
}

}  // namespace

TEST_CASE("a record is read as it was written", "[restart][record]") {
  const Buffer bytes = recorded(example());
  RecordReader record(bytes);
  Outer found;
  record(found);
  record.end();
  REQUIRE(record.ok());
  CHECK(recorded(found) == bytes);
  CHECK(found.negative == -5);
  CHECK(found.inner->list == std::vector<std::uint32_t>{8, 9});
  CHECK(found.seconds == std::chrono::seconds(-3));
  CHECK(found.choice == Choice::Last);
}

TEST_CASE("no part of a record passes for the whole", "[restart][record]") {
  const Buffer bytes = recorded(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(
        refusal<Outer>({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}).empty());
  }
  Buffer longer = bytes;
  longer.push_back(0);
  CHECK(refusal<Outer>(longer) == "there is more than belongs to it");
}

TEST_CASE("a record says what is wrong with it", "[restart][record]") {
  CHECK(refusal<bool>({2}) == "a flag is neither set nor clear");
  CHECK(refusal<std::uint32_t>({1, 2}) == "the record ends too early");
  CHECK(refusal<Buffer>({4, 0, 0, 0, 1}) == "the record ends too early");
  CHECK(refusal<std::vector<std::uint8_t>>({255, 255, 255, 255, 1}) == "the record ends too early");
  CHECK(refusal<std::vector<std::uint32_t>>({255, 255, 255, 255, 1}) ==
        "a list is longer than its record");
  using Map = std::map<std::uint8_t, std::uint8_t>;
  CHECK(refusal<Map>({2, 0, 0, 0, 3, 0, 3, 0}) == "entries are not in their order");
  Buffer other = recorded(example());
  other[4] = 'x';
  CHECK(refusal<Outer>(other) == "there is no part \"outer\"");
  Buffer newer = recorded(example());
  newer[9] = 3;
  CHECK(refusal<Outer>(newer) == "the part \"outer\" has the format 3; this program knows 2");
  Buffer choice = recorded(example());
  choice.back() = 2;
  CHECK(refusal<Outer>(choice) == "a choice is unknown");
}

TEST_CASE("byte strings have fingerprints of their own", "[restart][record]") {
  std::map<std::uint64_t, std::size_t> seen;
  Buffer bytes;
  for (std::size_t size = 0; size < 100; ++size) {
    ++seen[fingerprint(bytes)];
    for (std::uint8_t& byte : bytes) {
      byte ^= 1;
      ++seen[fingerprint(bytes)];
      byte ^= 1;
    }
    bytes.push_back(0);
  }
  CHECK(seen.size() == 100 + 99 * 100 / 2);
}
