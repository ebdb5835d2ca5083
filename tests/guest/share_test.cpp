// The ways to share beside each user that the kernel has: how many of a thousand operations of
// theirs fail, and of ours. With TBS_SHARE_OPERATIONS, each way and so many operations of each user
// (docs/kernel.md has the table); without it, a few operations beside those that promise something.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <thread>
#include <vector>

#include "daemon/exec/kernel_use.h"
#include "tests/guest/kernel_users.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"
#include "tests/support/digest.h"

using namespace tbs::test;
using namespace std::chrono_literals;
using tbs::proto::Buffer;

namespace {

constexpr std::size_t kClients = 3;
constexpr std::size_t kUpdates = 16;  // of one sequence

struct Tally {
  std::size_t tried = 0;
  std::size_t refused = 0;
  std::size_t wrong = 0;

  void count(Verdict verdict) {
    ++tried;
    refused += verdict == Verdict::Refused ? 1 : 0;
    wrong += verdict == Verdict::Wrong ? 1 : 0;
  }
  void add(const Tally& other) {
    tried += other.tried;
    refused += other.refused;
    wrong += other.wrong;
  }
  [[nodiscard]] std::size_t refused_of_1000() const {
    return tried == 0 ? 0 : (refused * 1000 + tried - 1) / tried;
  }
};

// 0: what is asserted alone is wanted.
std::size_t operations_wanted() {
  const char* const wanted = std::getenv("TBS_SHARE_OPERATIONS");
  return wanted != nullptr ? std::strtoul(wanted, nullptr, 10) : 0;
}

std::size_t operations() {
  return operations_wanted() != 0 ? operations_wanted() : 10;
}

std::vector<std::string> modes() {
  if (operations_wanted() == 0) return {"strict", "auto"};
  return {"exclusive", "idle", "strict", "auto"};
}

Verdict verdict_of(RawClient& client, const Buffer& command) {
  return tpm::code(client.response(command)) == tpm::kSuccess ? Verdict::Right : Verdict::Refused;
}

// One client's sequence, from its first command to its last.
Tally one_sequence(RawClient& client, const std::atomic<bool>& stop) {
  Tally tally;
  const Buffer started = client.response(tpm::hash_sequence_start());
  tally.count(tpm::code(started) == tpm::kSuccess ? Verdict::Right : Verdict::Refused);
  if (tally.refused != 0) return tally;
  const std::uint32_t sequence = tpm::handle(started);
  Buffer message;
  while (message.size() < kUpdates && !stop) {
    message.push_back(static_cast<std::uint8_t>(message.size()));
    tally.count(verdict_of(client, tpm::sequence_update(sequence, {message.back()})));
  }
  const Buffer done = client.response(tpm::sequence_complete(sequence));
  if (tpm::code(done) != tpm::kSuccess) {
    tally.count(Verdict::Refused);
  } else {
    tally.count(tpm::sequence_result(done) == sha256(message) ? Verdict::Right : Verdict::Wrong);
  }
  return tally;
}

// Clients that have an object each, and use it all the time until they are ended.
class Clients {
 public:
  explicit Clients(TestBench& bench) : bench_(bench), before_(bench.status().transmitted) {
    for (std::size_t i = 0; i < kClients; ++i) {
      threads_.emplace_back([this, &tally = tallies_.at(i)] {
        RawClient client = bench_.context();
        while (!stop_) {
          tally.add(one_sequence(client, stop_));
          done_ += kUpdates;
        }
      });
    }
    // All of them are at work.
    REQUIRE(eventually([this] { return done_ >= kClients * kUpdates; }));
  }
  ~Clients() { end(); }
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  Tally end() {
    stop_ = true;
    threads_.clear();
    Tally all;
    for (const Tally& one : tallies_) all.add(one);
    return all;
  }
  // For each command of a client; after end().
  double tpm_commands() {
    return static_cast<double>(bench_.status().transmitted - before_) /
           static_cast<double>(end().tried);
  }

 private:
  TestBench& bench_;
  std::uint64_t before_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::size_t> done_ = 0;
  std::array<Tally, kClients> tallies_{};
  std::vector<std::jthread> threads_;
};

DaemonOptions shared(const std::string& mode) {
  return {.device = "auto", .arguments = {"--share=" + mode}};
}

std::string two_digits(double value) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(2) << value;
  return text.str();
}

void print(const std::string& mode, const std::string& user, const Tally& theirs, const Tally& ours,
           const std::string& cost) {
  std::ostringstream line;
  line << "# " << std::left << std::setw(9) << mode << " | " << std::setw(36) << user << std::right;
  for (const std::size_t number :
       {theirs.tried, theirs.refused_of_1000(), ours.tried, ours.refused_of_1000()}) {
    line << " | " << std::setw(5) << number;
  }
  std::cout << line.str() << " | " << cost << std::endl;
}

// So that the next user is measured from its first command on.
void wait_until_forgotten(const std::string& mode) {
  if (operations_wanted() == 0 || mode != "auto") return;
  std::this_thread::sleep_for(tbs::exec::KernelUse::kMemory + 2s);
}

// What the clients do while nobody else uses the TPM.
void measure_alone(TestBench& bench, const std::string& mode) {
  Clients clients(bench);
  std::this_thread::sleep_for(operations() * 10ms);
  const Tally ours = clients.end();
  CHECK(ours.refused == 0);
  CHECK(ours.wrong == 0);
  print(mode, "nobody", {}, ours, two_digits(clients.tpm_commands()));
}

void measure_beside(TestBench& bench, const std::string& mode, const KernelUser& user) {
  Clients clients(bench);
  Tally theirs;
  while (theirs.tried < operations()) theirs.count(user.operate());
  const Tally ours = clients.end();
  print(mode, user.name, theirs, ours, two_digits(clients.tpm_commands()));
  CHECK(theirs.wrong == 0);
  CHECK(ours.wrong == 0);
  CHECK(ours.refused == 0);
  if (mode == "strict" && user.modest) CHECK(theirs.refused == 0);
  if (mode == "auto" && user.modest) {
    // Whoever has been noticed is served.
    Clients again(bench);
    std::size_t in_a_row = 0;
    CHECK(eventually([&] {
      in_a_row = user.operate() == Verdict::Right ? in_a_row + 1 : 0;
      return in_a_row == 10;
    }));
  }
}

}  // namespace

TEST_CASE("what a way to share costs the kernel's users and the clients", "[share]") {
  std::cout << "# share     | user                                 | tried, refused of 1000 | "
               "commands of ours, refused of 1000 | TPM commands for each of ours\n";
  for (const std::string& mode : modes()) {
    TestBench bench(shared(mode));
    wait_until_forgotten(mode);
    measure_alone(bench, mode);
    for (const KernelUser& user : kernel_users()) {
      if (user.needs_slots) wait_until_forgotten(mode);
      if (operations_wanted() != 0 || user.modest) measure_beside(bench, mode, user);
    }
  }
}
