// The kernel's node, as a process finds it whose predecessor was killed at some instant, with a
// pair of sockets in its place. That the kernel keeps its part is proved in a guest (tests/guest).

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "daemon/device/char_device.h"
#include "daemon/device/node_exchange.h"
#include "daemon/device/unkept_memory.h"
#include "tests/integration/device/device_run.h"
#include "tests/integration/device/syscall_shim.h"
#include "tests/integration/device/temp_dir.h"
#include "tests/integration/device/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;
using namespace std::chrono_literals;
using device::CharDevice;
using device::ResponseMemory;

namespace {

const proto::Buffer kResponse{0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0};
const proto::Buffer kOtherResponse{0x80, 1, 0, 0, 0, 11, 0, 0, 0, 0, 7};

// The kernel's side, which stays when a process goes.
struct Kernel {
  Kernel() {
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  }
  ~Kernel() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  // A command that was written; empty if there is none.
  [[nodiscard]] proto::Buffer taken() const {
    proto::Buffer command(8192);
    const ssize_t count = ::recv(ends[1], command.data(), command.size(), 0);
    command.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return command;
  }
  void answer(const proto::Buffer& response) const {
    REQUIRE(::send(ends[1], response.data(), response.size(), 0) ==
            static_cast<ssize_t>(response.size()));
  }

  int ends[2];
};

// One process.
struct Process {
  Process(Kernel& kernel_of_all, device::UnkeptMemory& pages)
      : kernel(kernel_of_all),
        memory(pages.bytes()),
        device(loop,
               {.path = "/dev/no-such-tpm",
                .sysfs = dir.path(),
                .proc = dir.path(),
                .opener = [this](const std::string&) { return node(::dup(kernel.ends[0])); },
                .inspector = [](int descriptor) { return node(descriptor); }},
               [](const std::string&) {}),
        run(loop, device) {
    device.keep_in(&memory);
  }

  static CharDevice::Node node(int descriptor) {
    return {.descriptor = descriptor, .number = ::makedev(10, 231)};
  }
  void adopt() {
    const auto facts = run.adopt({{.name = "node", .descriptor = ::dup(kernel.ends[0])}});
    if (!facts) FAIL(describe(facts.error()));
  }
  // Waits for a command on the kernel's side.
  proto::Buffer written() {
    proto::Buffer command;
    run.run_until([&] { return !(command = kernel.taken()).empty(); });
    return command;
  }

  Kernel& kernel;
  TempDir dir;
  boost::asio::io_context loop;
  ResponseMemory memory;
  CharDevice device;
  DeviceRun run;
};

struct Fixture {
  // Another process has the same kernel and memory.
  Process& next() {
    processes.push_back(std::make_unique<Process>(kernel, pages));
    return *processes.back();
  }

  Kernel kernel;
  device::UnkeptMemory pages;
  std::vector<std::unique_ptr<Process>> processes;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "adopted node: a command that was not sent is sent, once") {
  Process& first = next();
  REQUIRE(first.run.open());
  CHECK(first.device.kept().size() == 1);
  first.memory.begin(1);
  Process& second = next();
  second.adopt();
  CHECK(second.memory.number() == 1);
  CHECK(second.device.kept().size() == 1);
  second.run.resume(get_random(8));
  CHECK(second.written() == get_random(8));
  kernel.answer(kResponse);
  CHECK(second.run.finish() == kResponse);
  CHECK(kernel.taken().empty());

  // From now on it is as one that was opened.
  second.memory.begin(2);
  second.run.begin(get_random(9));
  CHECK(kernel.taken() == get_random(9));
  kernel.answer(kOtherResponse);
  CHECK(second.run.finish() == kOtherResponse);
}

TEST_CASE_METHOD(Fixture, "adopted node: a command that was sent is not sent again") {
  Process& first = next();
  REQUIRE(first.run.open());
  first.memory.begin(1);
  first.run.begin(get_random(8));
  CHECK(kernel.taken() == get_random(8));
  const bool answered = GENERATE(false, true);
  if (answered) kernel.answer(kResponse);
  Process& second = next();
  second.adopt();
  second.run.resume(get_random(8));
  second.run.run_for(50ms);
  CHECK(second.run.finished() == answered);
  if (!answered) kernel.answer(kResponse);
  CHECK(second.run.finish() == kResponse);
  CHECK(kernel.taken().empty());
}

TEST_CASE_METHOD(Fixture, "adopted node: the kernel knows of a write that nobody noted") {
  Process& second = next();
  second.memory.begin(1);
  const int node = ::dup(kernel.ends[0]);
  SyscallShim shim(node);
  shim.fail_next_write(EBUSY);
  REQUIRE(second.run.adopt({{.name = "node", .descriptor = node}}));
  second.run.resume(get_random(8));
  second.run.run_for(50ms);
  CHECK(kernel.taken().empty());
  CHECK_FALSE(second.run.finished());
  kernel.answer(kResponse);
  CHECK(second.run.finish() == kResponse);
  CHECK(kernel.taken().empty());
}

TEST_CASE_METHOD(Fixture, "adopted node: a response that was read is in the memory") {
  Process& first = next();
  REQUIRE(first.run.open());
  first.memory.begin(1);
  first.run.begin(get_random(8));
  CHECK(kernel.taken() == get_random(8));
  kernel.answer(kOtherResponse);
  CHECK(first.run.finish() == kOtherResponse);
  Process& second = next();
  second.adopt();
  second.run.resume(get_random(8));
  CHECK(second.run.finish() == kOtherResponse);
  CHECK(kernel.taken().empty());
  // The next command of this process.
  second.memory.begin(2);
  second.run.begin(get_random(9));
  CHECK(second.written() == get_random(9));
  kernel.answer(kResponse);
  CHECK(second.run.finish() == kResponse);
}

TEST_CASE_METHOD(Fixture, "adopted node: a command that failed fails again, and is not sent") {
  Process& first = next();
  REQUIRE(first.run.open());
  first.memory.begin(1);
  {
    SyscallShim shim(first.device.kept().front().descriptor);
    shim.fail_next_read(ECANCELED);
    first.run.begin(get_random(8));
    CHECK(kernel.taken() == get_random(8));
    kernel.answer(kResponse);
    CHECK(first.run.finish().error().error == ECANCELED);
  }
  Process& second = next();
  second.adopt();
  second.run.resume(get_random(8));
  const auto response = second.run.finish();
  REQUIRE_FALSE(response);
  CHECK(response.error().error == ECANCELED);
  CHECK_FALSE(response.error().reopen);
  CHECK(kernel.taken().empty());
}

TEST_CASE_METHOD(Fixture,
                 "adopted node: what is left of a command that nobody resumes is dropped") {
  Process& first = next();
  REQUIRE(first.run.open());
  first.memory.begin(1);
  first.run.begin(get_random(8));
  CHECK(kernel.taken() == get_random(8));
  kernel.answer(kOtherResponse);
  Process& second = next();
  second.adopt();
  second.memory.begin(2);
  second.run.begin(get_random(9));
  CHECK(second.written() == get_random(9));
  kernel.answer(kResponse);
  CHECK(second.run.finish() == kResponse);
}

TEST_CASE_METHOD(Fixture, "adopted node: it is closed when what runs on it is done") {
  Process& first = next();
  first.memory.begin(1);
  first.adopt();
  first.run.resume(get_random(8));
  CHECK(first.written() == get_random(8));
  bool closed = false;
  first.device.close([&] { closed = true; });
  CHECK_FALSE(first.run.finish());
  first.run.run_for(50ms);
  CHECK_FALSE(closed);
  CHECK(first.device.kept().empty());
  kernel.answer(kResponse);
  first.run.run_until([&] { return closed; });
  REQUIRE(first.run.open());
  first.memory.begin(2);
  first.run.begin(get_random(9));
  CHECK(kernel.taken() == get_random(9));
  kernel.answer(kResponse);
  CHECK(first.run.finish() == kResponse);
}

TEST_CASE("adopted node: what is no device is refused, and closed") {
  TempDir dir;
  boost::asio::io_context loop;
  CharDevice device(loop, {.path = "/dev/null", .sysfs = dir.path(), .proc = dir.path()},
                    [](const std::string&) {});
  DeviceRun run(loop, device);
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  CHECK(run.adopt({{.name = "node", .descriptor = ends[0]}}).error().error == ENOTTY);
  const int other = ::open("/dev/zero", O_RDWR | O_CLOEXEC);
  CHECK(run.adopt({{.name = "node", .descriptor = other}}).error().error == ENODEV);
  CHECK_FALSE(run.adopt({{.name = "else", .descriptor = ends[1]}}));
  run.run_until([&] {
    return ::fcntl(ends[0], F_GETFD) < 0 && ::fcntl(ends[1], F_GETFD) < 0 &&
           ::fcntl(other, F_GETFD) < 0;
  });
  CHECK(device.kept().empty());
}

TEST_CASE("adopted node: a command begun long ago is not sent again") {
  Kernel kernel;
  device::UnkeptMemory pages;
  ResponseMemory& memory = pages.memory();
  memory.begin(1);
  memory.command().started = 1;
  const auto result = device::finish_exchange(kernel.ends[0], {.command = get_random(8),
                                                               .may_be_sent = true,
                                                               .memory = &memory,
                                                               .response = memory.response(),
                                                               .longest_start = 50ms});
  REQUIRE_FALSE(result);
  CHECK(result.error().error == ENODATA);
  CHECK(kernel.taken().empty());
}
