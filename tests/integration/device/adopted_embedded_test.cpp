// The embedded TPM that one process leaves to the next, with its real child process.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "daemon/device/child_frame.h"
#include "daemon/device/embedded_device.h"
#include "daemon/device/embedded_record.h"
#include "daemon/device/unkept_memory.h"
#include "tests/integration/device/device_run.h"
#include "tests/integration/device/temp_dir.h"
#include "tests/integration/device/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;
using namespace std::chrono_literals;
using device::EmbeddedDevice;
using device::KeptDescriptor;
using device::ResponseMemory;

namespace {

namespace fs = std::filesystem;

std::string program() {
  const char* path = std::getenv("TBS_EMBEDDED_TPM");
  REQUIRE(path != nullptr);
  return path;
}

// One process.
struct Process {
  explicit Process(std::span<std::uint8_t> pages, const std::string& folder = {},
                   Family family = Family::Tpm20)
      : memory(pages),
        device(loop, {.state_dir = folder, .family = family, .program = program()}),
        run(loop, device) {
    device.keep_in(&memory);
  }

  boost::asio::io_context loop;
  ResponseMemory memory;
  EmbeddedDevice device;
  DeviceRun run;
};

// Processes in a row.
struct Fixture {
  Fixture() {
    open();
    process->memory.begin(++number);
    REQUIRE(process->run.code(startup()) == kRcSuccess);
  }
  void open() {
    process = std::make_unique<Process>(pages.bytes());
    const auto facts = process->run.open();
    if (!facts) FAIL(describe(facts.error()));
  }
  // The last one leaves all it has to the next one.
  Process& restart() {
    auto left = copies(process->device.kept());
    process->device.leave_behind();
    process = std::make_unique<Process>(pages.bytes());
    const auto facts = process->run.adopt(std::move(left));
    if (!facts) FAIL(describe(facts.error()));
    CHECK(facts->family == Family::Tpm20);
    CHECK(facts->owns_power);
    return *process;
  }
  std::uint32_t code(const proto::Buffer& command, std::uint8_t locality = 0) {
    process->memory.begin(++number);
    return process->run.code(command, locality);
  }

  const PrivateTmp tmp;
  device::UnkeptMemory pages;
  std::unique_ptr<Process> process;
  std::uint64_t number = 0;
};

proto::Buffer long_command() {
  return create_primary_rsa(2048);
}

int copy_from(int pidfd, int descriptor) {
  return static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd, descriptor, 0));
}

// Memory that a process and its children have together.
struct SharedPages {
  SharedPages()
      : first(::mmap(nullptr, ResponseMemory::kSize, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    REQUIRE(first != MAP_FAILED);
  }
  ~SharedPages() { ::munmap(first, ResponseMemory::kSize); }
  SharedPages(const SharedPages&) = delete;
  SharedPages& operator=(const SharedPages&) = delete;
  [[nodiscard]] std::span<std::uint8_t> bytes() const {
    return {static_cast<std::uint8_t*>(first), ResponseMemory::kSize};
  }

  void* first;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "adopted embedded: it goes on with what it has in memory") {
  process->memory.begin(++number);
  const auto key = process->run.transmit(create_primary_ecc());
  REQUIRE(key.has_value());
  restart();
  CHECK(code(read_public(response_handle(*key))) == kRcSuccess);
  CHECK(process->device.kept().size() == 2);
  // PCR 20 may be reset from locality 2, 3 and 4 only.
  CHECK(code(reset_pcr(20), 2) == kRcSuccess);
  CHECK(code(reset_pcr(20), 0) == kRcLocality);
}

TEST_CASE_METHOD(Fixture, "adopted embedded: a command that was not sent is sent") {
  process->memory.begin(++number);
  restart().run.resume(get_random(8));
  CHECK(response_code(*process->run.finish()) == kRcSuccess);
  CHECK(code(get_random(8)) == kRcSuccess);
}

TEST_CASE_METHOD(Fixture, "adopted embedded: a key that is being made is made once") {
  process->memory.begin(++number);
  process->run.begin(long_command());
  process->run.run_for(2ms);
  for (int i = 0; i < 3; ++i) restart();
  process->run.resume(long_command());
  const auto response = process->run.finish();
  REQUIRE(response.has_value());
  REQUIRE(response_code(*response) == kRcSuccess);
  CHECK(response_handle(*response) == 0x80000000);
  // Another successor gets the same answer from the memory.
  restart().run.resume(long_command());
  CHECK(*process->run.finish() == *response);
  CHECK(code(read_public(0x80000000)) == kRcSuccess);
  CHECK(code(read_public(0x80000001)) != kRcSuccess);
}

TEST_CASE_METHOD(Fixture, "adopted embedded: half a command") {
  process->memory.begin(++number);
  // The frame that the device would send, of which the last bytes were not sent.
  auto& record = process->memory.device<device::EmbeddedRecord>();
  const proto::Buffer frame =
      device::encode_child_frame(static_cast<std::uint32_t>(++record.sequence), 0, get_random(8));
  const int socket = process->device.kept().front().descriptor;
  const bool header = GENERATE(false, true);
  REQUIRE(process->memory.command().sent.send(socket, proto::Bytes(frame).first(header ? 12 : 3)) ==
          true);
  restart().run.resume(get_random(8));
  CHECK(response_code(*process->run.finish()) == kRcSuccess);
  CHECK(code(get_random(8)) == kRcSuccess);
}

TEST_CASE_METHOD(Fixture, "adopted embedded: a response that comes while nobody has resumed") {
  process->memory.begin(++number);
  process->run.begin(get_random(8));
  restart().run.run_for(50ms);
  process->run.resume(get_random(8));
  CHECK(response_code(*process->run.finish()) == kRcSuccess);
}

TEST_CASE_METHOD(Fixture, "adopted embedded: the command can be cancelled") {
  int cancelled = 0;
  for (int attempt = 0; attempt < 100 && cancelled < 3; ++attempt) {
    process->memory.begin(++number);
    process->run.begin(long_command());
    process->run.run_for(1ms);
    restart().run.resume(long_command());
    process->run.run_for(1ms);
    process->device.cancel();
    const auto response = process->run.finish();
    REQUIRE(response.has_value());
    if (response_code(*response) == kRcCanceled) {
      ++cancelled;
    } else {
      REQUIRE(code(flush_context(response_handle(*response))) == kRcSuccess);
    }
  }
  CHECK(cancelled == 3);
}

TEST_CASE_METHOD(Fixture, "adopted embedded: a command that nobody resumes costs the TPM's power") {
  process->memory.begin(++number);
  process->run.begin(long_command());
  process->run.run_for(1ms);
  restart();
  process->memory.begin(++number);
  const auto response = process->run.transmit(get_random(8));
  REQUIRE_FALSE(response);
  CHECK(response.error().reopen);
  CHECK(process->device.kept().empty());
  process->run.close();
  REQUIRE(process->run.open());
  CHECK(code(startup()) == kRcSuccess);
}

TEST_CASE_METHOD(Fixture,
                 "adopted embedded: it is closed, opened, and its folder removed at the end") {
  CHECK_FALSE(tmp.empty());
  restart();
  CHECK_FALSE(tmp.empty());
  process->run.close();
  CHECK(process->device.kept().empty());
  REQUIRE(process->run.open());
  CHECK(code(startup()) == kRcSuccess);
  process.reset();
  CHECK(tmp.empty());
}

TEST_CASE_METHOD(Fixture, "adopted embedded: what makes no sense is refused, and closed") {
  auto left = copies(process->device.kept());
  device::UnkeptMemory empty;
  Process unknown(empty.bytes());
  CHECK_FALSE(unknown.run.adopt(copies(left)));
  Process other(pages.bytes(), {}, Family::Tpm12);
  CHECK_FALSE(other.run.adopt(copies(left)));
  Process next(pages.bytes());
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  CHECK_FALSE(next.run.adopt({{.name = "socket", .descriptor = left[0].descriptor},
                              {.name = "process", .descriptor = ends[0]},
                              {.name = "more", .descriptor = ends[1]}}));
  for (const int closed : {left[0].descriptor, ends[0], ends[1]}) {
    CHECK(::fcntl(closed, F_GETFD) < 0);
  }
  ::close(left[1].descriptor);
  // Of the one that has it nothing was taken away.
  CHECK(code(get_random(8)) == kRcSuccess);
  next.device.leave_behind();
}

TEST_CASE("adopted embedded: the daemon that started it is killed while a key is made") {
  const PrivateTmp tmp;
  const SharedPages pages;
  const std::string path = program();
  int report[2];
  REQUIRE(::pipe2(report, O_CLOEXEC) == 0);
  const pid_t daemon = ::fork();
  REQUIRE(daemon >= 0);
  if (daemon == 0) {
    Process process(pages.bytes());
    if (!process.run.open()) ::_exit(1);
    process.memory.begin(1);
    if (process.run.code(startup()) != kRcSuccess) ::_exit(1);
    process.memory.begin(2);
    process.run.begin(long_command());
    const auto kept = process.device.kept();
    const int numbers[] = {kept.at(0).descriptor, kept.at(1).descriptor};
    if (::write(report[1], numbers, sizeof numbers) < 0) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  ::close(report[1]);
  int numbers[2];
  REQUIRE(::read(report[0], numbers, sizeof numbers) == sizeof numbers);
  ::close(report[0]);
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, daemon, 0));
  std::vector<KeptDescriptor> left{{.name = "socket", .descriptor = copy_from(pidfd, numbers[0])},
                                   {.name = "process", .descriptor = copy_from(pidfd, numbers[1])}};
  ::close(pidfd);
  const bool copied = left[0].descriptor >= 0 && left[1].descriptor >= 0;
  ::kill(daemon, SIGKILL);
  REQUIRE(::waitpid(daemon, nullptr, 0) == daemon);
  if (!copied) {
    WARN("skipped: no descriptors can be taken from another process here");
    return;
  }
  Process next(pages.bytes());
  REQUIRE(next.run.adopt(std::move(left)));
  REQUIRE(next.memory.number() == 2);
  next.run.resume(long_command());
  const auto key = next.run.finish();
  REQUIRE(key.has_value());
  REQUIRE(response_code(*key) == kRcSuccess);
  next.memory.begin(3);
  CHECK(next.run.code(read_public(0x80000000)) == kRcSuccess);

  // It is not this process's child, and its end is seen all the same.
  std::string reason;
  next.device.on_loss([&](const device::Failure& failure) { reason = describe(failure); });
  REQUIRE(::syscall(SYS_pidfd_send_signal, next.device.kept().at(1).descriptor, SIGKILL, nullptr,
                    0) == 0);
  next.run.run_until([&] { return !reason.empty(); });
  CHECK_THAT(reason, Catch::Matchers::ContainsSubstring("embedded TPM"));
  next.run.close();
  REQUIRE(next.run.open());
  next.memory.begin(4);
  CHECK(next.run.code(startup()) == kRcSuccess);
}
