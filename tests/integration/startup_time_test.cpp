// How long it takes from the start of the daemon to its first answer from the TPM. Printed for
// people; a test cannot know how fast a machine must be.

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;

TEST_CASE("from start to the first answer") {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto clock = [] { return std::chrono::steady_clock::now(); };
  TestBench bench;  // makes the TPM's state
  REQUIRE(bench.stop_daemon() == 0);
  for (int round = 0; round < 3; ++round) {
    const auto start = clock();
    bench.restart_daemon();
    const auto ready = clock();
    RawClient client = bench.context();
    REQUIRE(client.call(tpm::get_random(8)).status == tbs::proto::Status::Success);
    WARN("ready after " << duration_cast<milliseconds>(ready - start).count()
                        << " ms, first answer after "
                        << duration_cast<milliseconds>(clock() - start).count() << " ms");
    REQUIRE(bench.stop_daemon() == 0);
  }
}
