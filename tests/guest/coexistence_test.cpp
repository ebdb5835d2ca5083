// The kernel has users of its own on the same TPM: programs on /dev/tpmrm0, the hardware random
// number generator, the PCR files of sysfs. They and the daemon's clients must get on, each as far
// as `share` says, and what that costs is printed.

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "tests/guest/kernel_client.h"
#include "tests/integration/support/program.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using namespace std::chrono_literals;
using tbs::proto::Buffer;
using tbs::proto::Status;
using Clock = std::chrono::steady_clock;

namespace {

namespace fs = std::filesystem;

// TPM2_StartAuthSession: HMAC, neither salted nor bound, SHA-256.
const Buffer kStartSession{0x80, 0x01, 0,    0,    0, 0x2B, 0, 0,    0x01, 0x76, 0x40,
                           0,    0,    0x07, 0x40, 0, 0,    7, 0,    0x10, 1,    2,
                           3,    4,    5,    6,    7, 8,    9, 10,   11,   12,   13,
                           14,   15,   16,   0,    0, 0,    0, 0x10, 0,    0x0B};

std::uint32_t create(RawClient& client, const Buffer& command) {
  const Buffer response = client.response(command);
  REQUIRE(tpm::code(response) == tpm::kSuccess);
  return tpm::handle(response);
}

// A client of the daemon with two keys and a sequence that has taken in something.
struct Holder {
  explicit Holder(TestBench& bench) : client(bench.context()) {
    for (std::uint32_t& key : keys) key = create(client, tpm::create_primary_ecc());
    sequence = create(client, tpm::hash_sequence_start());
    REQUIRE(tpm::code(client.response(tpm::sequence_update(sequence, {1, 2, 3}))) == tpm::kSuccess);
  }
  void check() {
    for (const std::uint32_t key : keys) {
      CHECK(tpm::code(client.response(tpm::read_public(key))) == tpm::kSuccess);
    }
    const Buffer done = client.response(tpm::sequence_complete(sequence));
    CHECK(tpm::code(done) == tpm::kSuccess);
    CHECK(tpm::sequence_result(done) == tpm::sized_bytes(client.response(tpm::hash({1, 2, 3}))));
  }

  RawClient client;
  std::array<std::uint32_t, 2> keys{};
  std::uint32_t sequence = 0;
};

// What the kernel reads of the TPM for others.
void check_kernel_reads() {
  std::ifstream pcr(chip() / "pcr-sha256/0");
  std::string digest;
  CHECK((pcr >> digest && digest.size() == 64));
  // Kernels take no random numbers from a CRB device on a processor of AMD's (tpm_crb.c).
  if (!choose_tpm_random()) {
    WARN("the kernel offers no random numbers of the TPM");
    return;
  }
  std::array<char, 16> random{};
  CHECK(std::ifstream("/dev/hwrng", std::ios::binary).read(random.data(), random.size()));
}

// Fills every slot that the TPM has, and uses what is in them.
void check_kernel_client() {
  const KernelClient kernel;
  std::array<std::uint32_t, 3> objects{};
  for (std::uint32_t& object : objects) {
    object = kernel.create(tpm::hash_sequence_start());
    REQUIRE(object != 0);
  }
  for (int i = 0; i < 3; ++i) CHECK(kernel.create(kStartSession) != 0);
  for (const std::uint32_t object : objects) {
    CHECK(kernel.succeeds(tpm::sequence_update(object, {4, 5, 6})));
    CHECK(kernel.succeeds(tpm::sequence_complete(object)));
  }
}

// Commands of `client` that use an object, one after the other until `stop`.
std::size_t use(RawClient& client, std::uint32_t sequence, const std::atomic<bool>& stop) {
  std::size_t done = 0;
  for (; !stop; ++done) {
    const Answer answer = client.call(tpm::sequence_update(sequence, {1}));
    if (tpm::code(answer.response) != tpm::kSuccess) throw std::runtime_error("refused");
  }
  return done;
}

struct Tally {
  int tried = 0;
  int failed = 0;
};

// What a user of the kernel's resource manager does over and over, beside the load.
Tally beside(const std::atomic<bool>& stop) {
  Tally tally;
  const KernelClient kernel;
  while (!stop) {
    ++tally.tried;
    const std::uint32_t object = kernel.create(tpm::hash_sequence_start());
    const bool good = object != 0 && kernel.succeeds(tpm::sequence_update(object, {4})) &&
                      kernel.succeeds(tpm::sequence_complete(object));
    if (!good) {
      ++tally.failed;
      if (object != 0) static_cast<void>(kernel.succeeds(tpm::flush_context(object)));
    }
  }
  return tally;
}

struct Cost {
  double milliseconds = 0;  // of one client command, on average
  double tpm_commands = 0;  // for each client command
};

// Three clients with an object each, all at work for a while.
Cost load(TestBench& bench, std::chrono::milliseconds length) {
  std::atomic<bool> stop = false;
  std::atomic<std::size_t> done = 0;
  const auto before = bench.status().transmitted;
  const auto start = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        RawClient client = bench.context();
        const auto begun = client.response(tpm::hash_sequence_start());
        done += use(client, tpm::handle(begun), stop);
      });
    }
    std::this_thread::sleep_for(length);
    stop = true;
  }
  const std::chrono::duration<double, std::milli> took = Clock::now() - start;
  const auto commands = static_cast<double>(done.load());
  return {.milliseconds = took.count() / commands,
          .tpm_commands = static_cast<double>(bench.status().transmitted - before) / commands};
}

DaemonOptions shared(const char* mode) {
  return {.device = "auto", .arguments = {std::string("--share=") + mode}};
}

}  // namespace

TEST_CASE("the kernel's users work while the daemon's clients hold keys and are idle", "[2.0]") {
  TestBench bench(shared("idle"));
  std::vector<std::unique_ptr<Holder>> holders;
  for (int i = 0; i < 3; ++i) holders.push_back(std::make_unique<Holder>(bench));
  bench.wait_until_idle();
  for (int i = 0; i < 2; ++i) check_kernel_client();
  check_kernel_reads();
  for (const auto& holder : holders) holder->check();
}

TEST_CASE("the daemon's clients work while users of the kernel hold objects", "[2.0]") {
  TestBench bench(shared("idle"));
  const KernelClient kernel;
  const std::uint32_t sequence = kernel.create(tpm::hash_sequence_start());
  const std::uint32_t session = kernel.create(kStartSession);
  REQUIRE(sequence != 0);
  REQUIRE(session != 0);
  REQUIRE(kernel.succeeds(tpm::sequence_update(sequence, {1, 2, 3})));
  {
    std::vector<std::unique_ptr<Holder>> holders;
    for (int i = 0; i < 3; ++i) holders.push_back(std::make_unique<Holder>(bench));
    for (const auto& holder : holders) holder->check();
  }
  bench.wait_until_idle();
  CHECK(kernel.succeeds(tpm::sequence_complete(sequence)));
  CHECK(kernel.succeeds(tpm::flush_context(session)));
}

TEST_CASE("with share = exclusive the kernel's users get what is left", "[2.0]") {
  TestBench bench(shared("exclusive"));
  {
    Holder holder(bench);
    bench.wait_until_idle();
    const KernelClient kernel;
    CHECK(kernel.create(tpm::hash_sequence_start()) == 0);
    holder.check();
  }
  // A client's objects go with it.
  CHECK(eventually([] { return KernelClient().create(tpm::hash_sequence_start()) != 0; }));
}

TEST_CASE("each way to share under load, and what it costs", "[2.0]") {
  const std::string mode = GENERATE("idle", "strict", "exclusive");
  TestBench bench(shared(mode.c_str()));
  const Cost alone = load(bench, 1500ms);
  std::atomic<bool> stop = false;
  Tally tally;
  std::jthread other([&] { tally = beside(stop); });
  const Cost together = load(bench, 1500ms);
  stop = true;
  other.join();
  std::cout << "# share = " << mode << ": " << alone.milliseconds << " ms and "
            << alone.tpm_commands << " TPM commands for a client command; beside a user of "
            << "/dev/tpmrm0 " << together.milliseconds << " ms, and " << tally.failed << " of its "
            << tally.tried << " rounds failed" << std::endl;
  CHECK(tally.tried > 0);
  if (mode == "strict") {
    CHECK(tally.failed == 0);
    CHECK(alone.tpm_commands > 2);
  }
  if (mode == "exclusive") CHECK(alone.tpm_commands < 1.5);
}

TEST_CASE("a program has /dev/tpm0 alone for a while, and clients keep what they have", "[2.0]") {
  TestBench bench;
  const std::string node = fs::path("/dev") / chip().filename();
  const std::string output = bench.folder() / "program.log";
  // The kernel lets one open it.
  const std::string open_it = "exec 3<>" + node;
  const auto run = [&](const std::vector<std::string>& command) {
    return Program({.command = command, .environment = {}, .output = output}).wait();
  };
  Holder holder(bench);
  CHECK(run({"/bin/sh", "-c", open_it}) != 0);
  CHECK(run({std::getenv("TBSCTL"), "--socket", bench.socket(), "maintenance", "--for", "4m", "--",
             "/bin/sh", "-c", open_it + "; exit 5"}) == 5);
  holder.check();
  CHECK(run({"/bin/sh", "-c", open_it}) != 0);
  INFO(read_file(output));
  CHECK(bench.wait_until_ready());
}
