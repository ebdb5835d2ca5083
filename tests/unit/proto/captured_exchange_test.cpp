#include "proto/captured_exchange.h"

#include <algorithm>

#include "proto/limits.h"
#include "tests/support/catch2.h"

using namespace tbs::proto;

namespace {

const Buffer kCommand{1, 2, 3};
const Buffer kResponse{4, 5};

CapturedExchange some() {
  return {.number = 9,
          .context = 7,
          .uid = 1000,
          .pid = 12,
          .status = 3,
          .submitted_us = 100,
          .answered_us = 250,
          .program = "tool",
          .command = kCommand,
          .response = kResponse};
}

}  // namespace

TEST_CASE("captured exchanges are read as they were written", "[proto][capture]") {
  Buffer bytes;
  append_exchange(bytes, some());
  CHECK(bytes.size() == some().size());
  append_exchange(bytes, {.number = 10});
  ByteReader reader(bytes);
  const auto first = read_exchange(reader).value();
  CHECK(first.number == 9);
  CHECK(first.context == 7);
  CHECK(first.uid == 1000);
  CHECK(first.pid == 12);
  CHECK(first.status == 3);
  CHECK(first.submitted_us == 100);
  CHECK(first.answered_us == 250);
  CHECK(first.program == "tool");
  CHECK(std::ranges::equal(first.command, kCommand));
  CHECK(std::ranges::equal(first.response, kResponse));
  CHECK(read_exchange(reader)->number == 10);
  CHECK(reader.at_end());
}

TEST_CASE("half an exchange, or one with sizes that are lies, is none", "[proto][capture]") {
  Buffer bytes;
  append_exchange(bytes, some());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader reader(Bytes(bytes).first(size));
    CHECK_FALSE(read_exchange(reader).has_value());
  }
  // Of the command, of the response, of the program's name.
  for (const std::size_t at : {std::size_t{44}, std::size_t{48}, std::size_t{52}}) {
    Buffer false_one = bytes;
    false_one[at + 1] = 0xFF;
    ByteReader reader(false_one);
    CHECK_FALSE(read_exchange(reader).has_value());
  }
}
