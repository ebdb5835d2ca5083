// The TPM is reset while many clients work on it, as its control channel can do. Nobody hangs, what
// was on the TPM is refused with a TPM's answer, nobody gets the object of another, and new work
// goes on.

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <thread>

#include "tests/integration/support/sequence_worker.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using namespace std::chrono_literals;
using tbs::proto::Buffer;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kClients = 6;

}  // namespace

TEST_CASE("a TPM that is reset under load") {
  if (device_under_test() != DeviceKind::Swtpm) {
    WARN("skipped: only swtpm can be reset and keep its connection");
    return;
  }
  TestBench bench;
  std::atomic<bool> stop = false;
  std::vector<std::unique_ptr<SequenceWorker>> workers;
  for (std::uint8_t i = 0; i < kClients; ++i) {
    workers.push_back(std::make_unique<SequenceWorker>(bench.context(), i, stop));
  }
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(300ms);
    bench.swtpm().power_cycle();
    const auto reset = Clock::now();
    std::vector<int> before;
    for (const auto& worker : workers) before.push_back(worker->good);
    CHECK(eventually([&] {
      for (std::size_t i = 0; i < kClients; ++i) {
        if (workers[i]->good < before[i] + 2) return false;
      }
      return true;
    }));
    const std::chrono::duration<double, std::milli> took = Clock::now() - reset;
    std::cout << "# every client works again after " << took.count() << " ms" << std::endl;
  }
  stop = true;
  int refused = 0;
  for (const auto& worker : workers) {
    worker->join();
    CHECK(worker->wrong == 0);
    CHECK(worker->no_response == 0);
    refused += worker->refused;
  }
  std::cout << "# " << refused << " commands were refused" << std::endl;
  CHECK(refused > 0);
  CHECK(bench.status().reopened == 0);
  CHECK(bench.daemon().log().find("was reset") != std::string::npos);
}

TEST_CASE("what a client had on a TPM that was reset is refused, and not another's") {
  if (device_under_test() != DeviceKind::Swtpm) {
    WARN("skipped: only swtpm can be reset and keep its connection");
    return;
  }
  TestBench bench;
  RawClient owner = bench.context();
  RawClient other = bench.context();
  const Buffer mine = owner.response(tpm::hash_sequence_start());
  REQUIRE(tpm::code(mine) == tpm::kSuccess);
  bench.swtpm().power_cycle();
  // It gets the place on the TPM that the owner's had.
  const Buffer theirs = other.response(tpm::hash_sequence_start());
  REQUIRE(tpm::code(theirs) == tpm::kSuccess);
  CHECK(tpm::code(owner.response(tpm::sequence_update(tpm::handle(mine), {1}))) ==
        tbs::tpm::by_resource_manager(tbs::tpm::at_handle(TPM2_RC_HANDLE, 1)));
  REQUIRE(tpm::code(other.response(tpm::sequence_update(tpm::handle(theirs), {2}))) ==
          tpm::kSuccess);
  const Buffer done = other.response(tpm::sequence_complete(tpm::handle(theirs)));
  CHECK(tpm::sequence_result(done) == tpm::sized_bytes(other.response(tpm::hash({2}))));
}
