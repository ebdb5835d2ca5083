// The embedded TPM with its real child process.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "daemon/device/embedded_device.h"
#include "tests/integration/device/device_run.h"
#include "tests/integration/device/temp_dir.h"
#include "tests/integration/device/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;
using namespace std::chrono_literals;
using device::EmbeddedDevice;

namespace {

namespace fs = std::filesystem;

std::string program() {
  const char* path = std::getenv("TBS_EMBEDDED_TPM");
  REQUIRE(path != nullptr);
  return path;
}

struct Fixture {
  explicit Fixture(std::string state_dir = {}, Family family = Family::Tpm20)
      : device(loop, {.state_dir = std::move(state_dir), .family = family, .program = program()}),
        run(loop, device) {}

  void start() {
    const auto facts = run.open();
    if (!facts) FAIL(describe(facts.error()));
    REQUIRE(run.code(startup()) == kRcSuccess);
  }

  boost::asio::io_context loop;
  EmbeddedDevice device;
  DeviceRun run;
};

// The process ids of this process's children.
std::vector<pid_t> children() {
  std::ifstream list("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  return {std::istream_iterator<pid_t>(list), std::istream_iterator<pid_t>()};
}

pid_t only_child() {
  const auto list = children();
  REQUIRE(list.size() == 1);
  return list.front();
}

// An RSA key generation that takes long enough to be caught in the act.
proto::Buffer long_command() {
  return create_primary_rsa(2048);
}

}  // namespace

TEST_CASE("embedded: facts, start-up and 200 commands in a row") {
  Fixture fixture;
  const auto facts = fixture.run.open();
  REQUIRE(facts.has_value());
  CHECK(facts->family == Family::Tpm20);
  CHECK(facts->interface_type == 4);
  CHECK(facts->can_cancel);
  CHECK(facts->owns_power);
  CHECK(fixture.run.code(get_random(8)) == kRcInitialize);
  REQUIRE(fixture.run.code(startup()) == kRcSuccess);
  for (std::uint16_t i = 0; i < 200; ++i) {
    const auto response = fixture.run.transmit(get_random(static_cast<std::uint16_t>(1 + i % 32)));
    REQUIRE(response.has_value());
    CHECK(response->size() == 12U + 1U + i % 32U);
  }
  fixture.run.close();
  CHECK(children().empty());
}

TEST_CASE("embedded: a key generation that runs can be cancelled") {
  Fixture fixture;
  fixture.start();
  int cancelled = 0;
  // A key that was found before the cancel came is no failure, so there are many tries.
  for (int attempt = 0; attempt < 100 && cancelled < 5; ++attempt) {
    fixture.run.begin(long_command());
    fixture.run.run_for(2ms);
    fixture.device.cancel();
    const auto response = fixture.run.finish();
    REQUIRE(response.has_value());
    if (response_code(*response) == kRcCanceled) {
      CHECK(response->size() == 10);
      ++cancelled;
    } else {
      REQUIRE(fixture.run.code(flush_context(response_handle(*response))) == kRcSuccess);
    }
  }
  CHECK(cancelled == 5);
  CHECK(fixture.run.code(create_primary_rsa(2048)) == kRcSuccess);
}

TEST_CASE("embedded: a cancel that comes with the command is not lost") {
  Fixture fixture;
  fixture.start();
  int cancelled = 0;
  for (int attempt = 0; attempt < 10; ++attempt) {
    fixture.run.begin(long_command());
    fixture.device.cancel();  // most often before the child has read the command
    const auto response = fixture.run.finish();
    REQUIRE(response.has_value());
    if (response_code(*response) == kRcCanceled) {
      ++cancelled;
    } else {
      REQUIRE(fixture.run.code(flush_context(response_handle(*response))) == kRcSuccess);
    }
  }
  CHECK(cancelled >= 5);
}

TEST_CASE("embedded: a late cancel does nothing to later commands") {
  Fixture fixture;
  fixture.start();
  fixture.device.cancel();
  for (int i = 0; i < 8; ++i) {
    REQUIRE(fixture.run.code(get_random(8)) == kRcSuccess);
    fixture.device.cancel();
    const auto response = fixture.run.transmit(create_primary_rsa(2048));
    REQUIRE(response.has_value());
    REQUIRE(response_code(*response) == kRcSuccess);
    REQUIRE(fixture.run.code(flush_context(response_handle(*response))) == kRcSuccess);
  }
}

TEST_CASE("embedded: a cancel of a command that cannot be cancelled passes with it") {
  Fixture fixture;
  fixture.start();
  for (int i = 0; i < 8; ++i) {
    fixture.run.begin(get_random(16));
    fixture.device.cancel();
    const auto random = fixture.run.finish();
    REQUIRE(random.has_value());
    CHECK(response_code(*random) == kRcSuccess);
    const auto key = fixture.run.transmit(create_primary_rsa(2048));
    REQUIRE(key.has_value());
    REQUIRE(response_code(*key) == kRcSuccess);
    REQUIRE(fixture.run.code(flush_context(response_handle(*key))) == kRcSuccess);
  }
}

TEST_CASE("embedded: a killed child is one failure; its TPM is there again after a reopen") {
  const TempDir folder;
  Fixture fixture(folder.file("state"));
  fixture.start();
  const auto key = fixture.run.transmit(create_primary_ecc());
  REQUIRE(key.has_value());
  REQUIRE(fixture.run.code(evict_control(response_handle(*key), 0x81000001)) == kRcSuccess);
  const auto before = fixture.run.transmit(read_public(0x81000001));
  REQUIRE(before.has_value());

  const int responses = fixture.run.responses();
  fixture.run.begin(long_command());
  fixture.run.run_for(5ms);
  REQUIRE(::kill(only_child(), SIGKILL) == 0);
  const auto lost = fixture.run.finish();
  // A key made in those few milliseconds is no failure; the next command then meets the dead child.
  const auto failure = lost ? fixture.run.transmit(get_random(8)) : lost;
  REQUIRE_FALSE(failure.has_value());
  CHECK(failure.error().reopen);
  CHECK_THAT(failure.error().operation, Catch::Matchers::ContainsSubstring("killed by signal 9"));
  const auto again = fixture.run.transmit(get_random(8));
  REQUIRE_FALSE(again.has_value());
  fixture.run.run_for(20ms);
  CHECK(fixture.run.responses() == responses + (lost ? 3 : 2));

  fixture.run.close();
  fixture.start();
  const auto after = fixture.run.transmit(read_public(0x81000001));
  REQUIRE(after.has_value());
  CHECK(after.value() == before.value());
}

TEST_CASE("embedded: a child that dies while idle is reported with the next command") {
  Fixture fixture;
  fixture.start();
  REQUIRE(::kill(only_child(), SIGKILL) == 0);
  fixture.run.run_for(20ms);
  const auto response = fixture.run.transmit(get_random(8));
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().reopen);
  CHECK(children().empty());
}

TEST_CASE("embedded: a child that another process traces is reaped all the same") {
  Fixture fixture;
  fixture.start();
  const pid_t child = only_child();
  int traced[2];
  REQUIRE(::pipe2(traced, O_CLOEXEC) == 0);
  const pid_t tracer = ::fork();
  REQUIRE(tracer >= 0);
  if (tracer == 0) {
    const char done = ::ptrace(PTRACE_SEIZE, child, nullptr, nullptr) == 0 ? 'y' : 'n';
    if (::write(traced[1], &done, 1) == 1) ::usleep(300'000);
    ::_exit(0);
  }
  char done = 'n';
  REQUIRE(::read(traced[0], &done, 1) == 1);
  ::close(traced[0]);
  ::close(traced[1]);
  REQUIRE(::kill(child, SIGKILL) == 0);
  SECTION("its end is told") {
    const auto response = fixture.run.transmit(get_random(8));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().reopen);
  }
  SECTION("it is closed") {}
  fixture.run.close();
  REQUIRE(::waitpid(tracer, nullptr, 0) == tracer);
  fixture.start();
  CHECK(fixture.run.code(get_random(8)) == kRcSuccess);
  CHECK(only_child() != child);
  if (done == 'n') WARN("this process may not trace another one");
}

TEST_CASE("embedded: close while a command runs fails it first and leaves no child") {
  Fixture fixture;
  fixture.start();
  fixture.run.begin(long_command());
  bool closed = false;
  bool failed_first = false;
  fixture.device.close([&] {
    closed = true;
    failed_first = fixture.run.finished();
  });
  fixture.run.run_until([&] { return closed; });
  CHECK(failed_first);
  CHECK_FALSE(fixture.run.finish().has_value());
  CHECK(children().empty());
  fixture.start();
  CHECK(fixture.run.code(get_random(8)) == kRcSuccess);
}

TEST_CASE("embedded: close during open calls both handlers") {
  Fixture fixture;
  std::string order;
  fixture.device.open([&](auto facts) { order += facts ? "opened" : "failed "; });
  fixture.device.close([&] { order += "closed"; });
  fixture.run.run_until([&] { return order.ends_with("closed"); });
  CHECK(order == "failed closed");
  CHECK(children().empty());
}

TEST_CASE("embedded: a stopped child is killed by close") {
  Fixture fixture;
  fixture.start();
  REQUIRE(::kill(only_child(), SIGSTOP) == 0);
  fixture.run.close();
  CHECK(children().empty());
}

TEST_CASE("embedded: destruction at any moment leaves no child, no folder, and calls nothing") {
  const PrivateTmp tmp;
  bool called = false;
  boost::asio::io_context loop;
  {
    EmbeddedDevice opening(loop, {.program = program()});
    opening.open([&](auto) { called = true; });
  }
  CHECK(children().empty());
  {
    EmbeddedDevice busy(loop, {.program = program()});
    DeviceRun run(loop, busy);
    REQUIRE(run.open().has_value());
    REQUIRE(run.code(startup()) == kRcSuccess);
    busy.transmit(long_command(), 0, [&](auto) { called = true; });
    busy.close([&] { called = true; });
  }
  loop.restart();
  loop.run_for(20ms);
  CHECK_FALSE(called);
  CHECK(children().empty());
  CHECK(tmp.empty());
}

TEST_CASE("embedded: a command that is too long is refused and disturbs nothing") {
  Fixture fixture;
  fixture.start();
  const auto response = fixture.run.transmit(proto::Buffer(4097, 0));
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().error == E2BIG);
  CHECK_FALSE(response.error().reopen);
  CHECK(fixture.run.code(get_random(8)) == kRcSuccess);
  CHECK(fixture.run.transmit(proto::Buffer(4096, 0)).has_value());
}

TEST_CASE("embedded: the locality reaches the TPM") {
  Fixture fixture;
  fixture.start();
  // PCR 20 may be reset from locality 2, 3 and 4 only.
  CHECK(fixture.run.code(reset_pcr(20), 0) == kRcLocality);
  CHECK(fixture.run.code(reset_pcr(20), 2) == kRcSuccess);
  CHECK(fixture.run.code(reset_pcr(20), 0) == kRcLocality);
}

TEST_CASE("embedded: one folder serves one TPM at a time") {
  const TempDir folder;
  Fixture first(folder.file("state"));
  first.start();
  Fixture second(folder.file("state"));
  const auto refused = second.run.open();
  REQUIRE_FALSE(refused.has_value());
  CHECK_THAT(refused.error().operation,
             Catch::Matchers::ContainsSubstring("in use by another embedded TPM"));
  second.run.close();
  first.run.close();
  second.start();
}

TEST_CASE("embedded: a folder that others can write to is refused") {
  const TempDir folder;
  fs::permissions(folder.path(), fs::perms::all);
  Fixture fixture(folder.path());
  const auto refused = fixture.run.open();
  REQUIRE_FALSE(refused.has_value());
  CHECK_THAT(refused.error().operation, Catch::Matchers::ContainsSubstring("written by others"));
  CHECK_THAT(refused.error().advice, Catch::Matchers::ContainsSubstring("chmod go-w"));
}

TEST_CASE("embedded: a damaged state is a failure that says so") {
  const TempDir folder;
  {
    Fixture fixture(folder.file("state"));
    fixture.start();
  }
  std::ofstream(folder.file("state/tpm20.permall"), std::ios::trunc) << "not a TPM";
  Fixture fixture(folder.file("state"));
  const auto refused = fixture.run.open();
  REQUIRE_FALSE(refused.has_value());
  CHECK_THAT(refused.error().operation, Catch::Matchers::ContainsSubstring("state damaged"));
}

TEST_CASE("embedded: a missing program is a failure with advice") {
  boost::asio::io_context loop;
  EmbeddedDevice device(loop, {.program = "/nonexistent/tbsd-embedded-tpm"});
  DeviceRun run(loop, device);
  const auto facts = run.open();
  REQUIRE_FALSE(facts.has_value());
  CHECK(facts.error().error == ENOENT);
  CHECK_FALSE(facts.error().advice.empty());
}

TEST_CASE("embedded: a program that is no embedded TPM is a failure") {
  boost::asio::io_context loop;
  EmbeddedDevice device(loop, {.program = "/bin/false"});
  DeviceRun run(loop, device);
  const auto facts = run.open();
  REQUIRE_FALSE(facts.has_value());
  CHECK_THAT(facts.error().operation, Catch::Matchers::ContainsSubstring("exit status 1"));
}

TEST_CASE("embedded: a TPM 1.2 starts and answers") {
  Fixture fixture({}, Family::Tpm12);
  const auto facts = fixture.run.open();
  REQUIRE(facts.has_value());
  CHECK(facts->family == Family::Tpm12);
  CHECK_FALSE(facts->can_cancel);
  const proto::Buffer startup_clear{0, 0xC1, 0, 0, 0, 12, 0, 0, 0, 0x99, 0, 1};
  CHECK(fixture.run.code(startup_clear) == 0);
  const proto::Buffer random{0, 0xC1, 0, 0, 0, 14, 0, 0, 0, 0x46, 0, 0, 0, 8};
  CHECK(fixture.run.code(random) == 0);
}

TEST_CASE("embedded: the child ends when its daemon is killed") {
  const PrivateTmp tmp;  // a daemon that is killed removes nothing
  const std::string path = program();
  int report[2];
  REQUIRE(::pipe(report) == 0);
  const pid_t daemon = ::fork();
  if (daemon == 0) {
    boost::asio::io_context loop;
    EmbeddedDevice device(loop, {.program = path});
    device.open([&](auto) {
      const auto list = children();
      if (::write(report[1], list.data(), sizeof(pid_t)) < 0) ::_exit(1);
    });
    loop.run();
    ::_exit(0);
  }
  ::close(report[1]);
  pid_t child = 0;
  REQUIRE(::read(report[0], &child, sizeof child) == sizeof child);
  REQUIRE(::kill(child, 0) == 0);
  ::kill(daemon, SIGSTOP);  // so that it is the kernel that ends the child, or the socket's end
  ::kill(daemon, SIGKILL);
  REQUIRE(::waitpid(daemon, nullptr, 0) == daemon);
  // Whoever adopts the child may take its time to reap it: a zombie is as good as gone.
  const auto gone = [child] {
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    std::string pid, name, state;
    return !(stat >> pid >> name >> state) || state == "Z";
  };
  for (int i = 0; i < 1000 && !gone(); ++i) ::usleep(10'000);
  CHECK(gone());
  ::close(report[0]);
}
