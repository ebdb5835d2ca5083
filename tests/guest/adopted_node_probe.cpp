// The kernel's node on a real kernel, left by a process that is killed to one that goes on: no
// command may be lost, and none may be carried out twice.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/device/char_device.h"
#include "daemon/device/response_memory.h"
#include "tests/integration/device/device_run.h"
#include "tests/integration/device/tpm_commands.h"
#include "tests/support/catch2.h"
#include "tests/support/digest.h"

using namespace tbs;
using namespace tbs::test;
using namespace std::chrono_literals;
using device::CharDevice;
using device::ResponseMemory;

namespace {

constexpr std::uint32_t kPcr = 16;
constexpr int kKills = 200;

// What all processes of a test have together.
struct Shared {
  alignas(4096) std::array<std::uint8_t, ResponseMemory::kSize> pages;
  volatile std::uint64_t issued;   // the last command that somebody wanted
  volatile std::uint64_t done;     // the last one whose response was seen
  volatile std::uint64_t failed;   // whether a process gave up
  volatile std::uint64_t resumed;  // how often a command was resumed,
  volatile std::uint64_t kept;     // and its response was in the memory
};

class SharedMemory {
 public:
  SharedMemory()
      : address_(::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                        -1, 0)) {
    REQUIRE(address_ != MAP_FAILED);
    REQUIRE(::mlock(address_, sizeof(Shared)) == 0);
  }
  ~SharedMemory() { ::munmap(address_, sizeof(Shared)); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  Shared* operator->() const { return static_cast<Shared*>(address_); }

 private:
  void* address_;
};

// Who keeps the node, as a service manager does.
class KeptNode {
 public:
  KeptNode() {
    // A device that is gone closes its node in a thread.
    for (int i = 0; i < 1000 && node_ < 0; ++i) {
      node_ = ::open("/dev/tpm0", O_RDWR | O_NONBLOCK | O_CLOEXEC);
      if (node_ < 0) std::this_thread::sleep_for(10ms);
    }
    REQUIRE(node_ >= 0);
  }
  ~KeptNode() { ::close(node_); }
  KeptNode(const KeptNode&) = delete;
  KeptNode& operator=(const KeptNode&) = delete;

  [[nodiscard]] std::vector<device::KeptDescriptor> copy() const {
    return {{.name = "node", .descriptor = ::fcntl(node_, F_DUPFD_CLOEXEC, 0)}};
  }

 private:
  int node_ = -1;
};

struct Process {
  explicit Process(const SharedMemory& shared)
      : memory(shared->pages),
        device(loop, {.path = "/dev/tpm0"}, [](const std::string&) {}),
        run(loop, device) {
    device.keep_in(&memory);
  }

  boost::asio::io_context loop;
  ResponseMemory memory;
  CharDevice device;
  DeviceRun run;
};

proto::Buffer digest_of(std::uint64_t number) {
  proto::Buffer digest(32);
  for (std::size_t i = 0; i < 8; ++i) digest[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return digest;
}

// Extends the PCR once for each number, and goes on where the last process was.
void extend_until_killed(const KeptNode& node, const SharedMemory& shared) {
  Process process(shared);
  const auto check = [&](bool good) {
    if (good) return;
    shared->failed = 1;
    ::_exit(1);
  };
  check(process.run.adopt(node.copy()).has_value());
  while (true) {
    const bool unfinished = shared->issued > shared->done;
    const std::uint64_t number = unfinished ? shared->issued : shared->done + 1;
    const proto::Buffer command = test::tpm::pcr_extend(kPcr, digest_of(number));
    shared->issued = number;
    if (unfinished && process.memory.number() == number) {
      shared->resumed = shared->resumed + 1;
      if (process.memory.response()[0] != 0) shared->kept = shared->kept + 1;
      process.run.resume(command);
    } else {
      process.memory.begin(number);
      process.run.begin(command);
    }
    const auto response = process.run.finish();
    check(response && response_code(*response) == kRcSuccess);
    shared->done = number;
  }
}

pid_t start(const std::function<void()>& work) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    work();
    ::_exit(0);
  }
  return pid;
}

void end(pid_t pid) {
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

bool set_pace(const std::string& request) {
  const char* program = std::getenv("TBS_GUEST_EMULATOR");
  return program != nullptr && std::system((std::string(program) + " " + request).c_str()) == 0;
}

}  // namespace

TEST_CASE("killed again and again, each command is carried out once", "[2.0]") {
  const SharedMemory shared;
  const KeptNode node;
  {
    Process first(shared);
    REQUIRE(first.run.adopt(node.copy()));
    first.memory.begin(1);
    first.run.code(startup());
    first.memory.begin(2);
    REQUIRE(first.run.code(reset_pcr(kPcr)) == kRcSuccess);
    first.memory.begin(0);
  }
  std::mt19937 random(1);
  for (int i = 0; i < kKills; ++i) {
    const pid_t pid = start([&] { extend_until_killed(node, shared); });
    // Before it has done anything, or when it has done a little.
    const std::uint64_t before = shared->done;
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    const bool early = random() % 4 == 0;
    while (!early && shared->done == before && shared->failed == 0 &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(100us);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    end(pid);
    REQUIRE(shared->failed == 0);
  }
  Process last(shared);
  REQUIRE(last.run.adopt(node.copy()));
  if (shared->issued > shared->done) {
    const proto::Buffer command = test::tpm::pcr_extend(kPcr, digest_of(shared->issued));
    if (last.memory.number() != shared->issued) last.memory.begin(shared->issued);
    last.run.resume(command);
    REQUIRE(last.run.finish());
  }
  std::cout << "# " << shared->issued << " extends, " << kKills << " kills, " << shared->resumed
            << " resumed, of these " << shared->kept << " from the memory" << std::endl;
  CHECK(shared->issued > static_cast<std::uint64_t>(kKills) / 2);
  proto::Buffer expected(32);
  for (std::uint64_t number = 1; number <= shared->issued; ++number) {
    const proto::Buffer digest = digest_of(number);
    expected.insert(expected.end(), digest.begin(), digest.end());
    expected = sha256(expected);
  }
  last.memory.begin(shared->issued + 1);
  const auto read = last.run.transmit(test::tpm::pcr_read(kPcr));
  REQUIRE(read.has_value());
  CHECK(test::tpm::pcr_value(*read) == expected);
}

TEST_CASE("a key that is made for seconds goes to the successor, whose loop goes on", "[2.0]") {
  const SharedMemory shared;
  const KeptNode node;
  const pid_t pid = start([&] {
    Process first(shared);
    if (!first.run.adopt(node.copy())) return;
    // After its first command the node is in the loop. Before, a thread is in the kernel, and the
    // process is gone only when the TPM is done.
    first.memory.begin(1);
    first.run.transmit(get_random(8));
    if (!set_pace("freeze")) return;
    first.memory.begin(2);
    first.run.begin(create_primary_rsa(2048));
    first.run.run_for(20s);
  });
  ResponseMemory watched(shared->pages);
  while (watched.number() != 2 || watched.command().started == 0) {
    std::this_thread::sleep_for(1ms);
  }
  std::this_thread::sleep_for(50ms);
  end(pid);
  // Killed before it could note that the command was written, or after that.
  if (GENERATE(false, true)) {
    watched.command().phase = ResponseMemory::kBegun;
  }

  Process second(shared);
  int ticks = 0;
  bool thawed = false;
  boost::asio::steady_timer timer(second.loop);
  // The TPM goes on once the loop has: not before, however slow the machine is.
  std::function<void()> tick = [&] {
    timer.expires_after(5ms);
    timer.async_wait([&](boost::system::error_code error) {
      if (error) return;
      if (++ticks > 20 && !thawed) {
        thawed = set_pace("thaw");
        CHECK(thawed);
      }
      tick();
    });
  };
  tick();
  REQUIRE(second.run.adopt(node.copy()));
  second.run.resume(create_primary_rsa(2048));
  const auto key = second.run.finish();
  CHECK(ticks > 20);
  REQUIRE(key.has_value());
  REQUIRE(response_code(*key) == kRcSuccess);
  CHECK(response_handle(*key) == 0x80000000);
  second.memory.begin(3);
  CHECK(second.run.code(read_public(0x80000001)) != kRcSuccess);
  second.memory.begin(4);
  CHECK(second.run.code(flush_context(0x80000000)) == kRcSuccess);
  timer.cancel();
}
