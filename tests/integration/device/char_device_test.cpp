// The kernel's node, with a pair of sockets in its place that keep messages apart. What only the
// kernel does is proved in a guest (tests/guest).

#include "daemon/device/char_device.h"

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/limits.h"
#include "tests/integration/device/device_run.h"
#include "tests/integration/device/syscall_shim.h"
#include "tests/integration/device/temp_dir.h"
#include "tests/integration/device/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;
using namespace std::chrono_literals;
using device::CharDevice;

namespace {

namespace fs = std::filesystem;

const proto::Buffer kResponse{0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0};

struct Fixture {
  explicit Fixture(bool tpm12 = false)
      : device(loop,
               {.path = "/dev/tpm7",
                .sysfs = dir.path(),
                .proc = dir.path(),
                .opener = [this](const std::string&) { return make_node(); }},
               [this](std::string notice) { notices.push_back(std::move(notice)); }),
        run(loop, device) {
    const fs::path chip = dir.path() / "devices/platform/tpm/tpm7";
    fs::create_directories(chip);
    fs::create_directories(dir.path() / "dev/char");
    fs::create_directory_symlink(chip, dir.path() / "dev/char/10:231");
    std::ofstream(chip / "tpm_version_major") << (tpm12 ? 1 : 2);
    cancel_attribute = chip / "cancel";
  }
  ~Fixture() {
    if (kernel >= 0) ::close(kernel);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  CharDevice::Node make_node() {
    if (open_error != 0) return {.number = ::makedev(10, 231), .error = open_error};
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    if (kernel >= 0) ::close(kernel);
    kernel = ends[1];
    node = ends[0];
    return {.descriptor = node, .number = ::makedev(10, 231)};
  }

  // What the device has written and the kernel's side has not taken yet; empty if nothing.
  [[nodiscard]] proto::Buffer taken() const {
    proto::Buffer command(8192);
    const ssize_t count = ::recv(kernel, command.data(), command.size(), 0);
    command.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return command;
  }
  void answer(const proto::Buffer& response) const {
    REQUIRE(::send(kernel, response.data(), response.size(), 0) ==
            static_cast<ssize_t>(response.size()));
  }

  TempDir dir;
  fs::path cancel_attribute;
  int open_error = 0;
  int kernel = -1;
  int node = -1;
  boost::asio::io_context loop;
  std::vector<std::string> notices;
  CharDevice device;
  DeviceRun run;
};

// The cancel attribute as a pipe: the write to it blocks until somebody opens the other end.
struct BlockingCancel {
  explicit BlockingCancel(Fixture& fixture) : path(fixture.cancel_attribute) {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  }
  void release() { end = ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }
  ~BlockingCancel() {
    if (end >= 0) ::close(end);
  }
  BlockingCancel(const BlockingCancel&) = delete;
  BlockingCancel& operator=(const BlockingCancel&) = delete;

  std::string path;
  int end = -1;
};

}  // namespace

TEST_CASE("node: commands and responses, up to the kernel's limit") {
  Fixture fixture;
  const auto facts = fixture.run.open();
  REQUIRE(facts.has_value());
  CHECK(facts->family == Family::Tpm20);
  CHECK_FALSE(facts->can_cancel);
  CHECK_FALSE(facts->owns_power);
  for (int i = 0; i < 50; ++i) {
    fixture.run.begin(get_random(8));
    CHECK(fixture.taken() == get_random(8));
    fixture.run.run_for(1ms);
    CHECK_FALSE(fixture.run.finished());
    fixture.answer(kResponse);
    CHECK(fixture.run.finish().value() == kResponse);
  }
  fixture.run.begin(proto::Buffer(4096, 1));
  CHECK(fixture.taken().size() == 4096);
  fixture.answer(proto::Buffer(4096, 2));
  CHECK(fixture.run.finish().value().size() == 4096);
}

TEST_CASE("node: an error that comes with the read") {
  const auto [error, reopen] = GENERATE(table<int, bool>({{ECANCELED, false},
                                                          {ETIME, false},
                                                          {EIO, false},
                                                          {EFAULT, false},
                                                          {ENODEV, true},
                                                          {EPIPE, true}}));
  Fixture fixture;
  REQUIRE(fixture.run.open().has_value());
  SyscallShim shim(fixture.node);
  fixture.run.begin(get_random(8));
  REQUIRE_FALSE(fixture.taken().empty());
  shim.fail_next_read(error);
  fixture.answer(kResponse);  // the wake-up
  const auto response = fixture.run.finish();
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().error == error);
  CHECK(response.error().reopen == reopen);
  CHECK_THAT(response.error().operation, Catch::Matchers::ContainsSubstring("/dev/tpm7"));
}

TEST_CASE("node: a write that fails at once gives up the wait that was armed for it") {
  const auto [error, reopen] = GENERATE(table<int, bool>(
      {{EBUSY, true}, {EINVAL, false}, {E2BIG, false}, {EPIPE, true}, {ENODEV, true}}));
  Fixture fixture;
  REQUIRE(fixture.run.open().has_value());
  SyscallShim shim(fixture.node);
  shim.fail_next_write(error);
  const auto refused = fixture.run.transmit(get_random(8));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().error == error);
  CHECK(refused.error().reopen == reopen);
  // What becomes readable now belongs to no command and must not be read.
  fixture.answer(proto::Buffer(12, 9));
  fixture.run.run_for(5ms);
  CHECK(fixture.run.responses() == 1);
  fixture.run.begin(get_random(8));
  CHECK(fixture.run.finish().value() == proto::Buffer(12, 9));
}

TEST_CASE("node: a read of nothing is a lost response") {
  Fixture fixture;
  REQUIRE(fixture.run.open().has_value());
  fixture.run.begin(get_random(8));
  fixture.answer({});
  const auto response = fixture.run.finish();
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().error == 0);
  CHECK(response.error().reopen);
  CHECK_THAT(response.error().operation, Catch::Matchers::ContainsSubstring("lost"));
}

TEST_CASE("node: a command that is too long is refused and disturbs nothing") {
  Fixture fixture;
  REQUIRE(fixture.run.open().has_value());
  const auto refused = fixture.run.transmit(proto::Buffer(proto::kMaxTpmMessage + 1, 0));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().error == E2BIG);
  CHECK_FALSE(refused.error().reopen);
  CHECK(fixture.taken().empty());
}

TEST_CASE("node: a close that blocks does so in a thread, and open works after it") {
  Fixture fixture;
  REQUIRE(fixture.run.open().has_value());
  fixture.run.begin(get_random(8));
  const auto shim = std::make_unique<SyscallShim>(fixture.node);
  std::atomic<bool> let_go = false;
  std::atomic<bool> closing = false;
  const auto loop_thread = std::this_thread::get_id();
  std::thread::id closer;
  shim->before_close([&] {
    closer = std::this_thread::get_id();
    closing = true;
    while (!let_go) ::usleep(1000);
  });
  bool closed = false;
  bool failed_first = false;
  fixture.device.close([&] {
    failed_first = fixture.run.finished();
    closed = true;
  });
  fixture.run.run_until([&] { return closing.load() && fixture.run.finished(); });
  CHECK_FALSE(closed);
  CHECK_FALSE(fixture.run.finish().has_value());
  let_go = true;
  fixture.run.run_until([&] { return closed; });
  CHECK(failed_first);
  CHECK(closer != loop_thread);
  CHECK(fixture.run.open().has_value());
}

TEST_CASE("node: a cancel that blocks holds back the next command and nothing else") {
  Fixture fixture(true);
  BlockingCancel cancel(fixture);
  const auto facts = fixture.run.open();
  REQUIRE(facts.has_value());
  CHECK(facts->family == Family::Tpm12);
  CHECK(facts->can_cancel);
  fixture.device.cancel();  // nothing runs: nothing is written
  fixture.run.begin(get_random(8));
  CHECK_FALSE(fixture.taken().empty());
  fixture.device.cancel();
  fixture.device.cancel();
  fixture.answer(kResponse);
  CHECK(fixture.run.finish().has_value());

  fixture.run.begin(get_random(9));
  fixture.run.run_for(20ms);
  CHECK(fixture.taken().empty());
  cancel.release();
  proto::Buffer command;
  fixture.run.run_until([&] {
    command = fixture.taken();
    return !command.empty();
  });
  CHECK(command == get_random(9));
  fixture.answer(kResponse);
  CHECK(fixture.run.finish().has_value());
  char written[8];
  CHECK(::read(cancel.end, written, sizeof written) == 1);
  CHECK(fixture.notices.empty());
}

TEST_CASE("node: closed while a command waits for the cancel attribute") {
  Fixture fixture(true);
  BlockingCancel cancel(fixture);
  REQUIRE(fixture.run.open().has_value());
  fixture.run.begin(get_random(8));
  fixture.device.cancel();
  fixture.answer(kResponse);
  REQUIRE(fixture.run.finish().has_value());
  fixture.run.begin(get_random(9));
  fixture.run.close();
  CHECK_FALSE(fixture.run.finish().has_value());
  REQUIRE(fixture.run.open().has_value());
  fixture.run.begin(get_random(10));
  fixture.run.run_for(5ms);
  CHECK(fixture.taken().empty());
  cancel.release();
  fixture.run.run_until([&] { return fixture.taken() == get_random(10); });
  fixture.answer(kResponse);
  CHECK(fixture.run.finish().has_value());
}

TEST_CASE("node: destroyed while threads of its own are blocked") {
  bool called = false;
  std::optional<BlockingCancel> cancel;
  {
    Fixture fixture(true);
    cancel.emplace(fixture);
    REQUIRE(fixture.run.open().has_value());
    fixture.device.transmit(get_random(8), 0, [&](const auto&) { called = true; });
    fixture.device.cancel();
    fixture.run.run_for(5ms);
    fixture.device.close([&] { called = true; });
    cancel->release();
  }
  ::usleep(20'000);
  CHECK_FALSE(called);
}

TEST_CASE("node: an old kernel cancels at once, and the command ends with ECANCELED") {
  Fixture fixture(true);
  BlockingCancel cancel(fixture);
  REQUIRE(fixture.run.open().has_value());
  SyscallShim shim(fixture.node);
  fixture.run.begin(get_random(8));
  REQUIRE_FALSE(fixture.taken().empty());
  fixture.device.cancel();
  cancel.release();
  // What the driver does within that write: it aborts the command, and wakes the reader.
  shim.fail_next_read(ECANCELED);
  fixture.answer(kResponse);
  const auto canceled = fixture.run.finish();
  REQUIRE_FALSE(canceled.has_value());
  CHECK(canceled.error().error == ECANCELED);
  CHECK_FALSE(canceled.error().reopen);
  REQUIRE(fixture.taken().empty());
  // The message that the failed read has left there.
  char rest[16];
  CHECK(::read(fixture.node, rest, sizeof rest) > 0);
  fixture.run.begin(get_random(9));
  fixture.run.run_until([&] { return fixture.taken() == get_random(9); });
  fixture.answer(kResponse);
  CHECK(fixture.run.finish().has_value());
  CHECK(fixture.notices.empty());
}

TEST_CASE("node: a cancel that cannot be written is told once, with the reason") {
  const int error = GENERATE(ENOENT, EACCES, EIO);
  CAPTURE(error);
  Fixture fixture(true);
  std::ofstream(fixture.cancel_attribute) << "";
  REQUIRE(fixture.run.open().value().can_cancel);
  SyscallShim shim(fixture.node);
  if (error == ENOENT) {
    fs::remove(fixture.cancel_attribute);
  } else if (error == EACCES) {
    shim.fail_open(fixture.cancel_attribute, error);
  } else {
    shim.fail_write_to(fixture.cancel_attribute, error);
  }
  for (int i = 0; i < 3; ++i) {
    fixture.run.begin(get_random(8));
    fixture.device.cancel();
    fixture.run.run_until([&] { return !fixture.notices.empty(); });
    fixture.run.run_for(5ms);
    fixture.answer(kResponse);
    CHECK(fixture.run.finish().has_value());
  }
  REQUIRE(fixture.notices.size() == 1);
  CHECK_THAT(fixture.notices.front(), Catch::Matchers::ContainsSubstring(std::strerror(error)));
  const bool advises = fixture.notices.front().find("udev rule") != std::string::npos;
  CHECK(advises == (error == EACCES));
}

TEST_CASE("node: without a name, what the kernel has is opened") {
  boost::asio::io_context loop;
  const TempDir folder;
  std::vector<std::string> asked;
  CharDevice device(loop,
                    {.path = "",
                     .sysfs = folder.path(),
                     .opener =
                         [&](const std::string& path) {
                           asked.push_back(path);
                           return CharDevice::Node{.error = ENXIO};
                         }},
                    [](const auto&) {});
  DeviceRun run(loop, device);
  CHECK(run.open().error().error == ENODEV);
  CHECK(device.name() == "auto");
  CHECK(asked.empty());
  fs::create_directories(folder.path() / "class/tpm/tpm3");
  CHECK(run.open().error().error == ENXIO);
  CHECK(asked == std::vector<std::string>{"/dev/tpm3"});
  CHECK(device.name() == "/dev/tpm3");
}

TEST_CASE("node: why it cannot be opened, with advice") {
  boost::asio::io_context loop;
  const TempDir folder;
  std::ofstream(folder.file("file")) << "no device";
  const auto [path, error] =
      GENERATE(table<std::string, int>({{"/dev/tpm-that-is-not-there", ENOENT}, {"file", ENOTTY}}));
  CharDevice device(loop, {.path = path == "file" ? folder.file(path) : path}, [](const auto&) {});
  DeviceRun run(loop, device);
  const auto facts = run.open();
  REQUIRE_FALSE(facts.has_value());
  CHECK(facts.error().error == error);
  CHECK_FALSE(facts.error().advice.empty());
  CHECK_FALSE(run.transmit(get_random(8)).has_value());
  run.close();
}

TEST_CASE("node: who holds a busy one is looked for") {
  Fixture fixture;
  fixture.open_error = EBUSY;
  const auto facts = fixture.run.open();
  REQUIRE_FALSE(facts.has_value());
  CHECK(facts.error().error == EBUSY);
  CHECK_THAT(facts.error().advice, Catch::Matchers::ContainsSubstring("holds it"));
  fixture.open_error = EACCES;
  CHECK_THAT(fixture.run.open().error().advice, Catch::Matchers::ContainsSubstring("group tbs"));
  fixture.open_error = EPERM;  // what a control group says
  CHECK_THAT(fixture.run.open().error().advice, Catch::Matchers::ContainsSubstring("DeviceAllow"));
}
