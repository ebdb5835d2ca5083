#include "daemon/server/capture.h"

#include <vector>

#include "proto/limits.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace std::chrono_literals;
using server::Capture;

namespace {

constexpr TimePoint kStart{1h};
const proto::Buffer kCommand{0x80, 0x01, 0, 0, 0, 10, 0, 0, 1, 0x7B};
const proto::Buffer kResponse{0x80, 0x01, 0, 0, 0, 10, 0, 0, 0, 0};

proto::CapturedExchange exchange(std::uint64_t context) {
  return {.context = context, .program = "tool", .command = kCommand, .response = kResponse};
}

std::vector<std::uint64_t> contexts_in(const Capture::Page& page) {
  std::vector<std::uint64_t> contexts;
  proto::ByteReader reader(page.exchanges);
  while (!reader.at_end()) contexts.push_back(proto::read_exchange(reader).value().context);
  return contexts;
}

}  // namespace

TEST_CASE("a capture begins when somebody asks", "[server][capture]") {
  Capture capture;
  CHECK_FALSE(capture.running());
  capture.asked(kStart);
  CHECK(capture.running());
  const std::uint64_t from = capture.begin();
  CHECK(from != 0);
  capture.add(exchange(7), kStart);
  capture.add(exchange(8), kStart);
  const auto page = capture.page(from, 0);
  CHECK(contexts_in(page) == std::vector<std::uint64_t>{7, 8});
  CHECK(page.lost == 0);
  CHECK(capture.page(page.last, 0).exchanges.empty());
}

TEST_CASE("a capture of one context", "[server][capture]") {
  Capture capture;
  capture.asked(kStart);
  const std::uint64_t from = capture.begin();
  for (const std::uint64_t context : {7U, 8U, 7U, 9U}) capture.add(exchange(context), kStart);
  const auto page = capture.page(from, 7);
  CHECK(contexts_in(page) == std::vector<std::uint64_t>{7, 7});
  CHECK(page.last == from + 4);
  CHECK(page.lost == 0);
}

TEST_CASE("a slow reader loses the oldest, and is told how many", "[server][capture]") {
  Capture capture(3 * exchange(1).size());
  capture.asked(kStart);
  const std::uint64_t from = capture.begin();
  for (std::uint64_t context = 1; context <= 10; ++context) capture.add(exchange(context), kStart);
  const auto page = capture.page(from, 0);
  CHECK(contexts_in(page) == std::vector<std::uint64_t>{8, 9, 10});
  CHECK(page.lost == 7);
  CHECK(capture.page(page.last, 0).lost == 0);
}

TEST_CASE("a page is bounded", "[server][capture]") {
  Capture capture(std::size_t{1} << 24U);
  capture.asked(kStart);
  const std::uint64_t from = capture.begin();
  const proto::Buffer large(proto::kMaxTpmMessage, 1);
  for (int i = 0; i < 6; ++i) {
    capture.add({.context = 7, .program = "", .command = large, .response = large}, kStart);
  }
  std::uint64_t after = from;
  std::size_t seen = 0;
  for (int pages = 0; seen < 6; ++pages) {
    REQUIRE(pages < 6);
    const auto page = capture.page(after, 0);
    CHECK(page.exchanges.size() <= proto::kMaxCapturePage);
    seen += contexts_in(page).size();
    after = page.last;
  }
}

TEST_CASE("a capture ends when nobody asks any more", "[server][capture]") {
  Capture capture;
  capture.asked(kStart);
  const std::uint64_t from = capture.begin();
  capture.add(exchange(7), kStart + 9s);
  capture.set_waiting(true);
  capture.add(exchange(7), kStart + 1h);
  CHECK(capture.running());
  capture.set_waiting(false);
  capture.add(exchange(7), kStart + 1h);
  CHECK_FALSE(capture.running());
  CHECK(capture.page(from, 0).exchanges.empty());
}

TEST_CASE("who knows numbers of another daemon gets what there is", "[server][capture]") {
  Capture capture;
  capture.asked(kStart);
  capture.add(exchange(7), kStart);
  const auto page = capture.page(5000, 0);
  CHECK(page.exchanges.empty());
  CHECK(page.last < 5000);
  capture.add(exchange(8), kStart);
  CHECK(contexts_in(capture.page(page.last, 0)) == std::vector<std::uint64_t>{8});
}
