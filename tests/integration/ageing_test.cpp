// A command that has waited long enough overtakes higher ones, so that none starves.

#include <thread>

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using namespace std::chrono_literals;

namespace {

// A LOW command, this much later one of the other priority: which of them leaves first?
std::uint64_t first_answer(std::chrono::milliseconds wait, std::uint32_t other_priority) {
  TestBench bench;
  RawClient blocker = bench.context();
  RawClient client = bench.context();
  bench.occupy_tpm(blocker);
  client.submit(kLow, tpm::get_random(8), kLow);
  REQUIRE(bench.wait_for_load(client, 1, 0));
  std::this_thread::sleep_for(wait);
  client.submit(other_priority, tpm::get_random(8), other_priority);
  REQUIRE(bench.wait_for_load(client, 2, 0));
  bench.thaw_tpm();
  const std::uint64_t first = client.receive_result().request_id;
  client.receive_result();
  blocker.receive_result();
  return first;
}

}  // namespace

TEST_CASE("a LOW command that has just come waits for a HIGH one") {
  CHECK(first_answer(0ms, kHigh) == kHigh);
}

TEST_CASE("a LOW command that has waited for seconds overtakes a HIGH one") {
  CHECK(first_answer(2500ms, kHigh) == kLow);
}

TEST_CASE("no priority is so high that others wait for ever") {
  CHECK(first_answer(2500ms, kMax) == kMax);
  CHECK(first_answer(10500ms, kMax) == kLow);
}

TEST_CASE("a LOW command gets through an endless flood of HIGH ones") {
  TestBench bench;
  RawClient flooder = bench.context();
  RawClient client = bench.context();
  // So many slow commands that the flood does not dry up while this process waits for its turn.
  constexpr std::uint64_t kAhead = tbs::proto::kWindow - 1;
  bench.freeze_tpm();
  std::uint64_t sent = 0;
  while (sent < kAhead) flooder.submit(++sent, tpm::self_test(), kHigh);
  REQUIRE(bench.wait_for_load(flooder, kAhead - 1, 1));
  client.submit(1, tpm::get_random(8), kLow);
  REQUIRE(bench.wait_for_load(client, 1, 0));
  bench.thaw_tpm();
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t answered = 0;
  while (!client.has_frame(0ms) && std::chrono::steady_clock::now() - start < kPatience) {
    REQUIRE(flooder.receive_result().request_id == ++answered);
    flooder.submit(++sent, tpm::self_test(), kHigh);
  }
  REQUIRE(client.has_frame(0ms));
  CHECK(client.receive_result().status == tbs::proto::Status::Success);
  WARN("the LOW command let " << answered << " HIGH ones pass");
}
