// Cancelling a command of a TPM 1.2 through the kernel's sysfs attribute, on the kernel's own
// device. Since about Linux 5.1 the write to that attribute blocks until the command has ended, and
// does not cancel it: the submitter is answered all the same, and nothing else reaches the TPM
// before that write has returned. What the daemon does is taken down by strace.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <optional>
#include <sstream>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using namespace std::chrono_literals;
using tbs::proto::Buffer;
using tbs::proto::Cancel;
using tbs::proto::CancelReply;
using tbs::proto::ContextEntry;
using tbs::proto::ContextList;
using tbs::proto::ListContexts;
using tbs::proto::Role;
using tbs::proto::Status;
using Clock = std::chrono::steady_clock;

namespace {

const Buffer kRandom{0, 0xC1, 0, 0, 0, 14, 0, 0, 0, 0x46, 0, 0, 0, 8};
// TPM_CreateEndorsementKeyPair: RSA, 2048 bits. A TPM makes one, once; afterwards it refuses.
const Buffer kMakeEndorsementKey{
    0, 0xC1, 0, 0, 0, 54, 0, 0, 0, 0x78,                                          // header
    1, 2,    3, 4, 5, 6,  7, 8, 9, 10,   11, 12, 13, 14, 15, 16, 17, 18, 19, 20,  // nonce
    0, 0,    0, 1, 0, 3,  0, 1, 0, 0,    0,  12, 0,  0,  8,  0,  0,  0,  0,  2,   // key, 2 primes
    0, 0,    0, 0};
const Buffer kSelfTest{0, 0xC1, 0, 0, 0, 10, 0, 0, 0, 0x50};

constexpr std::uint32_t kRunning = 1;
constexpr std::uint32_t kDetached = 2;
const std::string kAttribute = "/sys/class/tpm/tpm0/cancel";

// A daemon on the guest's TPM 1.2, with somebody who looks at it.
struct Bench {
  explicit Bench(DaemonOptions options) : daemon(open_folder(), in_place(options)) {
    daemon.wait_until_listening();
    observer.emplace(RawClient::observer(daemon.socket()));
    context();
  }
  static const DaemonOptions& in_place(DaemonOptions& options) {
    options.device = "/dev/tpm0";
    return options;
  }
  TempFolder& open_folder() {
    ::chmod((folder / ".").c_str(), 0777);  // for daemons of other users
    return folder;
  }

  RawClient context() {
    RawClient client(daemon.socket());
    REQUIRE(client.hello(Role::Context, tbs::proto::kWantTpm12).status == Status::Success);
    return client;
  }
  std::uint32_t running(const RawClient& client) {
    const auto list = observer->ask(ListContexts{});
    const auto entry = std::ranges::find(list.entries, client.context_id(), &ContextEntry::context);
    return entry == list.entries.end() ? 0 : entry->running;
  }

  TempFolder folder;
  DaemonProcess daemon;
  std::optional<RawClient> observer;
};

// Submits the command to a TPM that stands still for a while, cancels it, and checks that the
// answer comes while the command is still there.
void cancel_detached(Bench& bench, RawClient& client, const Buffer& command) {
  std::this_thread::sleep_for(200ms);  // what the daemon does while idle is over
  guest_emulator("freeze 1500");
  client.submit(1, command);
  REQUIRE(eventually([&] { return bench.running(client) == kRunning; }));
  const auto start = Clock::now();
  client.send(2, Cancel{});
  CHECK(client.expect<CancelReply>(2).status == Status::Success);
  CHECK(client.receive_result().status == Status::CommandCanceled);
  const std::chrono::duration<double, std::milli> took = Clock::now() - start;
  std::cout << "# cancelled command answered after " << took.count() << " ms" << std::endl;
  CHECK(bench.running(client) == kDetached);
}

struct Call {
  std::string thread;
  std::string text;
};

// The lines of `strace -f -y -tt -o FILE`, without the time: "PID TIME CALL".
std::vector<Call> read_trace(const std::string& path) {
  std::vector<Call> calls;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Call call;
    std::string time;
    words >> call.thread >> time;
    std::getline(words, call.text);
    calls.push_back(call);
  }
  return calls;
}

bool is_device_write(const Call& call) {
  return call.text.starts_with(" write(") && call.text.find("</dev/tpm0>") != std::string::npos;
}

bool is_cancel_write(const Call& call) {
  return call.text.starts_with(" write(") && call.text.find("/cancel>") != std::string::npos;
}

std::size_t lines_with(const std::string& text, const std::string& word) {
  std::istringstream lines(text);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) count += line.find(word) != line.npos;
  return count;
}

}  // namespace

TEST_CASE("a cancel is written to sysfs off the loop, and the submitter does not wait", "[1.2]") {
  if (::access("/usr/bin/strace", X_OK) != 0) FAIL("strace is missing");
  TempFolder folder;
  const std::string trace = folder / "trace";
  {
    Bench bench(
        {.runner = {"/usr/bin/strace", "-f", "-y", "-tt", "-e", "trace=write", "-o", trace}});
    RawClient client = bench.context();
    RawClient neighbour = bench.context();
    cancel_detached(bench, client, kMakeEndorsementKey);
    neighbour.submit(1, kRandom);
    client.submit(3, kRandom);
    CHECK(tpm::code(neighbour.receive_result().response) == tpm::kSuccess);
    CHECK(tpm::code(client.receive_result().response) == tpm::kSuccess);
    CHECK(lines_with(bench.daemon.log(), "cannot cancel") == 0);
    // strace passes the signal on to nobody: the daemon is its only child.
    ::kill(children_of(bench.daemon.program().pid()).front(), SIGTERM);
    CHECK(bench.daemon.wait_for_exit() == 0);
  }
  const auto calls = read_trace(trace);
  const auto begin = std::ranges::find_if(calls, is_cancel_write);
  REQUIRE(begin != calls.end());
  const auto loop = std::ranges::find_if(calls, is_device_write);
  REQUIRE(loop != calls.end());
  CHECK(begin->thread != loop->thread);
  std::cout << "#" << begin->text << " by thread " << begin->thread << ", the loop is "
            << loop->thread << std::endl;
  // Unless strace has seen it whole, other calls of other threads came in between.
  if (begin->text.find("unfinished") != std::string::npos) {
    const auto end = std::find_if(begin, calls.end(), [&](const Call& call) {
      return call.thread == begin->thread && call.text.find("resumed") != std::string::npos;
    });
    REQUIRE(end != calls.end());
    CHECK(std::find_if(begin, end, is_device_write) == end);
    CHECK(std::find_if(end, calls.end(), is_device_write) != calls.end());
  }
}

TEST_CASE("without the right to write the attribute a cancel detaches, and says why once",
          "[1.2]") {
  ::chmod("/dev/tpm0", 0666);
  Bench bench({.runner = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}});
  RawClient client = bench.context();
  for (int i = 0; i < 2; ++i) {
    cancel_detached(bench, client, kSelfTest);
    CHECK(tpm::code(client.call(kRandom).response) == tpm::kSuccess);
  }
  CHECK(lines_with(bench.daemon.log(), "cannot cancel through") == 1);
  CHECK_THAT(bench.daemon.log(),
             Catch::Matchers::ContainsSubstring("Permission denied; the user of tbsd needs"));
  CHECK(bench.daemon.stop() == 0);
}

TEST_CASE("the rights that the udev rule gives are enough", "[1.2]") {
  // chgrp and chmod as systemd/70-tbs.rules has them, with a group of the test's own for tbs.
  constexpr gid_t kGroup = 4242;
  REQUIRE(::chown("/dev/tpm0", 0, kGroup) == 0);
  REQUIRE(::chmod("/dev/tpm0", 0660) == 0);
  REQUIRE(::chown(kAttribute.c_str(), 0, kGroup) == 0);
  REQUIRE(::chmod(kAttribute.c_str(), 0220) == 0);
  Bench bench({.runner = {"/usr/bin/setpriv", "--reuid=65534", "--regid=4242", "--clear-groups"}});
  RawClient client = bench.context();
  cancel_detached(bench, client, kSelfTest);
  CHECK(tpm::code(client.call(kRandom).response) == tpm::kSuccess);
  CHECK(lines_with(bench.daemon.log(), "cannot cancel") == 0);
  CHECK(bench.daemon.stop() == 0);
}
