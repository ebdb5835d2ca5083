// The machine sleeps (S3) and is woken up by the host: the kernel has the TPM save its state, the
// TPM loses its power, the firmware starts it again. Clients hold keys, sessions and sequences
// meanwhile, or work. Afterwards each has what it had, or is told that it is gone; nobody hangs and
// nobody gets what is another's. Runs from memory (in_memory), without the host's files.

#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <thread>

#include "proto/tpm/commands.h"
#include "tests/integration/support/fake_logind.h"
#include "tests/integration/support/sequence_worker.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"
#include "tests/support/client_commands.h"

using namespace tbs::test;
using namespace std::chrono_literals;
using tbs::proto::Buffer;
using Clock = std::chrono::steady_clock;

namespace {

// TPM_RC_HANDLE and TPM_RC_REFERENCE_H0 of the resource manager's layer.
constexpr std::uint32_t kObjectGone =
    tbs::tpm::by_resource_manager(tbs::tpm::at_handle(TPM2_RC_HANDLE, 1));
constexpr std::uint32_t kSessionGone = tbs::tpm::by_resource_manager(TPM2_RC_REFERENCE_H0);
constexpr std::size_t kWorkers = 4;
constexpr int kSleeps = 3;

// TPM2_ReadClock, which says how often the TPM went on after a power cut, with its state.
std::uint32_t restart_count(RawClient& client) {
  const Buffer response = client.response(tbs::tpm::build::read_clock());
  REQUIRE(tpm::code(response) == tpm::kSuccess);
  tbs::proto::ByteReader reader(response);
  reader.skip(10 + 8 + 8 + 4);
  return reader.be32();
}

// Puts the machine to sleep, and knows by the TPM that it was asleep.
class Sleeper {
 public:
  explicit Sleeper(TestBench& bench)
      : client_(bench.context()), restarts_(restart_count(client_)) {}

  // Returns when the machine is awake again.
  static void sleep() { std::ofstream("/sys/power/state") << "mem" << std::flush; }
  // Whether the TPM was without power once since the last look.
  bool has_slept() { return restart_count(client_) == ++restarts_; }

 private:
  RawClient client_;
  std::uint32_t restarts_;
};

std::uint32_t created(RawClient& client, const Buffer& command) {
  const Buffer response = client.response(command);
  REQUIRE(tpm::code(response) == tpm::kSuccess);
  return tpm::handle(response);
}

// A client with a key, a policy session and a sequence, each different from those of others.
class Holder {
 public:
  Holder(RawClient client, std::uint8_t number) : client_(std::move(client)), number_(number) {
    key_ = created(client_, command::create_primary(TPM2_RH_OWNER, number_));
    public_ = client_.response(command::read_public(key_));
    session_ = created(client_, command::start_policy());
    client_.response(command::policy_command_code(session_, 0x100U + number_));
    policy_ = client_.response(command::policy_digest(session_));
    sequence_ = created(client_, tpm::hash_sequence_start());
    client_.response(tpm::sequence_update(sequence_, {number_}));
  }

  // How many of the three are gone. What is not gone is this client's own.
  int missing() {
    int gone = 0;
    gone += is_gone(client_.response(command::sign(key_)), {});
    is_gone(client_.response(command::read_public(key_)), public_);
    gone += is_gone(client_.response(command::policy_digest(session_)), policy_);
    const Buffer done = client_.response(tpm::sequence_complete(sequence_));
    if (is_gone(done, {}) != 0) return gone + 1;
    CHECK(tpm::sequence_result(done) == tpm::sized_bytes(client_.response(tpm::hash({number_}))));
    return gone;
  }

 private:
  static int is_gone(const Buffer& response, const Buffer& expected) {
    const std::uint32_t code = tpm::code(response).value();
    if (code == tpm::kSuccess) {
      if (!expected.empty()) CHECK(response == expected);
      return 0;
    }
    CHECK((code == kObjectGone || code == kSessionGone));
    return 1;
  }

  RawClient client_;
  std::uint8_t number_;
  std::uint32_t key_ = 0;
  std::uint32_t session_ = 0;
  std::uint32_t sequence_ = 0;
  Buffer public_;
  Buffer policy_;
};

// Clients that work while the machine sleeps and afterwards.
class Load {
 public:
  explicit Load(TestBench& bench) {
    for (std::uint8_t i = 0; i < kWorkers; ++i) {
      workers_.push_back(std::make_unique<SequenceWorker>(bench.context(), i, stop_));
    }
  }
  ~Load() { stop_ = true; }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Waits until each has ended two more sequences, and returns how long that took.
  std::chrono::milliseconds until_all_work() {
    const auto begin = Clock::now();
    std::array<int, kWorkers> before{};
    for (std::size_t i = 0; i < kWorkers; ++i) before[i] = workers_[i]->good;
    for (std::size_t i = 0; i < kWorkers; ++i) {
      CHECK(eventually([&] { return workers_[i]->good >= before[i] + 2; }));
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
  }
  // Ends the work; nobody has seen what is another's.
  void stop() {
    stop_ = true;
    for (const auto& worker : workers_) {
      worker->join();
      CHECK(worker->wrong == 0);
      refused += worker->refused;
      no_response += worker->no_response;
    }
  }

  int refused = 0;
  int no_response = 0;

 private:
  std::atomic<bool> stop_ = false;
  std::vector<std::unique_ptr<SequenceWorker>> workers_;
};

}  // namespace

TEST_CASE("what is out of the TPM when the machine sleeps is there afterwards", "[sleep]") {
  TestBench bench;
  Holder alice(bench.context(), 1);
  Holder bob(bench.context(), 2);
  Sleeper sleeper(bench);
  bench.wait_until_idle();
  Sleeper::sleep();
  CHECK(sleeper.has_slept());
  CHECK(alice.missing() == 0);
  CHECK(bob.missing() == 0);
  CHECK(bench.status().failed == 0);
}

TEST_CASE("what is in the TPM when the machine sleeps is there afterwards, or said to be gone",
          "[sleep]") {
  TestBench bench({.arguments = {"--share", "exclusive"}});
  Sleeper sleeper(bench);
  Holder alice(bench.context(), 1);
  Holder bob(bench.context(), 2);
  Sleeper::sleep();
  CHECK(sleeper.has_slept());
  const int gone = alice.missing() + bob.missing();
  std::cout << "# " << gone << " of 6 gone" << "\n";
  CHECK(gone > 0);
  CHECK_THAT(bench.daemon().log(), Catch::Matchers::ContainsSubstring("the TPM was restarted"));
  CHECK(Holder(bench.context(), 3).missing() == 0);
  CHECK(bench.status().failed == 0);
}

TEST_CASE("clients that work while the machine falls asleep go on", "[sleep]") {
  TestBench bench;
  Sleeper sleeper(bench);
  Load load(bench);
  load.until_all_work();
  for (int i = 0; i < kSleeps; ++i) {
    Sleeper::sleep();
    CHECK(sleeper.has_slept());
    std::cout << "# all work again after " << load.until_all_work().count() << " ms" << "\n";
  }
  load.stop();
  std::cout << "# " << load.refused << " commands refused, " << load.no_response << " failed"
            << "\n";
  CHECK(load.no_response == 0);
  CHECK(Holder(bench.context(), 3).missing() == 0);
}

TEST_CASE("when logind tells of the sleep no client notices it", "[sleep]") {
  TempFolder folder;
  SystemBus bus(folder);
  FakeLogind logind(bus);
  TestBench bench({.environment = {bus.environment()}});
  REQUIRE(eventually([&] { return logind.inhibitors() == 1; }));
  Holder alice(bench.context(), 1);
  Sleeper sleeper(bench);
  Load load(bench);
  load.until_all_work();
  for (int i = 0; i < kSleeps; ++i) {
    logind.prepare_for_sleep(true);
    REQUIRE(eventually([&] { return logind.inhibitors() == 0; }));
    Sleeper::sleep();
    logind.prepare_for_sleep(false);
    CHECK(sleeper.has_slept());
    std::cout << "# all work again after " << load.until_all_work().count() << " ms" << "\n";
    REQUIRE(eventually([&] { return logind.inhibitors() == 1; }));
  }
  load.stop();
  CHECK(load.refused == 0);
  CHECK(load.no_response == 0);
  CHECK(alice.missing() == 0);
  CHECK(bench.status().failed == 0);
}
