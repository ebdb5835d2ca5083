// A TPM that dies, fails or loses its disk is brought up again, however often that happens; until
// then the status says what is wrong.

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>

#include <sys/mount.h>

#include "proto/tpm/capability.h"
#include "proto/tpm/constants.h"
#include "proto/tpm12/command_builder.h"
#include "proto/tpm12/ordinals.h"
#include "proto/tpm12/response_code.h"
#include "proto/tpm_header.h"
#include "tests/integration/support/lying_tpm.h"
#include "tests/integration/support/notify_socket.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using namespace std::chrono_literals;
using tbs::proto::Buffer;
using tbs::proto::DeviceState;
using tbs::proto::Status;

namespace {

bool only_on(DeviceKind kind) {
  if (device_under_test() == kind) return true;
  WARN("skipped: it is about another kind of device");
  return false;
}

// Sends commands one after the other, and wants an answer to each.
class Load {
 public:
  explicit Load(TestBench& bench)
      : client_(bench.context()), thread_([this] {
          while (!stop_) {
            client_.call(tpm::get_random(8));
            ++answered_;
          }
        }) {}
  ~Load() {
    stop_ = true;
    thread_.join();
  }
  [[nodiscard]] int answered() const { return answered_; }

 private:
  RawClient client_;
  std::atomic<bool> stop_{false};
  std::atomic<int> answered_{0};
  std::thread thread_;
};

pid_t embedded_tpm(TestBench& bench) {
  const auto children = children_of(bench.daemon().program().pid());
  return children.empty() ? 0 : children.front();
}

// Kills the embedded TPM that is there next, after this time of its life.
void kill_next(TestBench& bench, pid_t& last, std::chrono::milliseconds life) {
  REQUIRE(eventually([&] {
    const pid_t now = embedded_tpm(bench);
    return now != 0 && now != last;
  }));
  last = embedded_tpm(bench);
  std::this_thread::sleep_for(life);
  if (last != 0) ::kill(last, SIGKILL);
}

bool serves(TestBench& bench) {
  return eventually(
      [&] { return bench.context().call(tpm::get_random(8)).status == Status::Success; });
}

// A file system of 256 KiB, with a folder for the TPM in it.
class SmallDisk {
 public:
  explicit SmallDisk(const TempFolder& folder) : path_(folder / "disk") {
    std::filesystem::create_directory(path_);
    mounted_ = ::mount("none", path_.c_str(), "tmpfs", 0, "size=256k") == 0;
    if (mounted_) std::filesystem::create_directory(tpm_folder());
    if (mounted_) std::filesystem::permissions(tpm_folder(), std::filesystem::perms::owner_all);
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] std::string tpm_folder() const { return path_ + "/tpm"; }
  void fill() {
    std::ofstream file(path_ + "/fill", std::ios::binary);
    const std::string block(1024, 'x');
    while (file << block << std::flush) {
    }
  }
  void make_room() { std::filesystem::remove(path_ + "/fill"); }
  void set_read_only(bool read_only) {
    unsigned long flags = MS_REMOUNT;
    if (read_only) flags |= MS_RDONLY;
    REQUIRE(::mount("none", path_.c_str(), "tmpfs", flags, nullptr) == 0);
  }

 private:
  std::string path_;
  bool mounted_ = false;
};

}  // namespace

TEST_CASE("an embedded TPM that is killed dozens of times under load comes back") {
  if (!only_on(DeviceKind::Embedded)) return;
  TestBench bench;
  const Load one(bench);
  const Load other(bench);
  pid_t last = 0;
  for (int round = 0; round < 8; ++round) {
    // Some die while they start, some while they work; then one lives for a while.
    for (int kill = 0; kill < 3; ++kill) {
      kill_next(bench, last, std::chrono::milliseconds((3 * round + kill) * 17 % 41));
    }
    REQUIRE(eventually([&] {
      const pid_t now = embedded_tpm(bench);
      return now != 0 && now != last && bench.status().device_state == DeviceState::Ready;
    }));
    std::this_thread::sleep_for(500ms);
  }
  CHECK(bench.wait_until_ready());
  CHECK(serves(bench));
  CHECK(one.answered() > 0);
  CHECK(other.answered() > 0);
}

TEST_CASE("an embedded TPM that is killed while it starts comes back") {
  if (!only_on(DeviceKind::Embedded)) return;
  TestBench bench;
  pid_t last = 0;
  for (int round = 0; round < 6; ++round) kill_next(bench, last, 0ms);
  CHECK(serves(bench));
  CHECK(bench.wait_until_ready());
  CHECK(bench.daemon().log().find("that is open") == std::string::npos);
}

TEST_CASE("an embedded TPM that dies while nobody uses it is there again before anybody asks") {
  if (!only_on(DeviceKind::Embedded)) return;
  TestBench bench;
  RawClient client = bench.context();
  bench.wait_until_idle();
  bench.kill_tpm();
  REQUIRE(eventually([&] { return bench.status().reopened == 1; }));
  REQUIRE(bench.wait_until_ready());
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("an embedded TPM whose disk was full comes back when there is room") {
  if (!only_on(DeviceKind::Embedded)) return;
  TempFolder folder;
  SmallDisk disk(folder);
  if (!disk.mounted()) {
    WARN("skipped: no right to mount a file system");
    return;
  }
  TestBench bench({.device = "embedded:" + disk.tpm_folder()});
  RawClient client = bench.context();
  REQUIRE(client.call(tpm::get_random(8)).status == Status::Success);
  disk.fill();
  CHECK(client.call(tpm::nv_define(0x01500001, 2048)).status == Status::IoError);
  REQUIRE(eventually([&] { return bench.status().device_state == DeviceState::Down; }));
  const auto status = bench.status();
  CHECK(status.problem.find("No space left on device") != std::string::npos);
  CHECK(bench.daemon().log().find(status.problem) != std::string::npos);
  disk.make_room();
  REQUIRE(bench.wait_until_ready());
  CHECK(bench.status().problem.empty());
  CHECK(client.call(tpm::nv_define(0x01500001, 64)).status == Status::Success);
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
}

namespace {

// Starts tbsd on a folder that cannot be used, for a reason that is then taken away.
void refuse_then_use(TempFolder& folder, const std::string& state, const std::string& reason,
                     const std::function<void()>& mend) {
  DaemonProcess daemon(folder, {.device = "embedded:" + state});
  daemon.wait_until_listening();
  RawClient client = RawClient::observer(daemon.socket());
  const auto comes = [&client](DeviceState wanted) {
    return eventually(
        [&] { return client.ask(tbs::proto::DaemonStatus{}).device_state == wanted; });
  };
  REQUIRE(comes(DeviceState::Down));
  const auto status = client.ask(tbs::proto::DaemonStatus{});
  CHECK(status.problem.find(state) != std::string::npos);
  CHECK(status.problem.find(reason) != std::string::npos);
  CHECK_FALSE(status.advice.empty());
  CHECK(daemon.log().find(status.problem + "; " + status.advice) != std::string::npos);
  mend();
  CHECK(comes(DeviceState::Ready));
  CHECK(daemon.stop() == 0);
}

}  // namespace

TEST_CASE("an embedded TPM whose folder cannot be used says so at the start") {
  if (!only_on(DeviceKind::Embedded)) return;
  TempFolder folder;
  const std::string place = folder / "place";
  SECTION("a file is in its place") {
    write_file(place, "a file");
    refuse_then_use(folder, place, "Not a directory", [&] { std::filesystem::remove(place); });
  }
  SECTION("the folder above it does not exist") {
    refuse_then_use(folder, place + "/below", "No such file or directory",
                    [&] { std::filesystem::create_directory(place); });
  }
}

TEST_CASE("an embedded TPM whose disk cannot be used says so at the start") {
  if (!only_on(DeviceKind::Embedded)) return;
  TempFolder folder;
  SmallDisk disk(folder);
  if (!disk.mounted()) {
    WARN("skipped: no right to mount a file system");
    return;
  }
  SECTION("it is full") {
    disk.fill();
    refuse_then_use(folder, disk.tpm_folder(), "No space left on device",
                    [&] { disk.make_room(); });
  }
  SECTION("it is read-only") {
    disk.set_read_only(true);
    refuse_then_use(folder, disk.tpm_folder(), "Read-only file system",
                    [&] { disk.set_read_only(false); });
  }
}

TEST_CASE("a TPM in failure mode serves what it can, and is used again when it has recovered") {
  if (!only_on(DeviceKind::Swtpm)) return;
  TempFolder folder;
  SwtpmProcess swtpm(folder);
  swtpm.start();
  LyingTpm liar(folder, swtpm);
  const bool from_the_start = GENERATE(false, true);
  const bool control = GENERATE(false, true);
  if (from_the_start) liar.lie(in_failure_mode);
  NotifySocket manager(folder);
  DaemonProcess daemon(folder,
                       {.device = liar.device(control), .environment = {manager.environment()}});
  daemon.wait_until_listening();
  RawClient client = RawClient::context(daemon.socket());
  RawClient observer = RawClient::observer(daemon.socket());
  const auto status = [&] { return observer.ask(tbs::proto::DaemonStatus{}); };
  if (!from_the_start) {
    CHECK(client.call(tpm::get_random(8)).status == Status::Success);
    liar.lie(in_failure_mode);
    client.call(tpm::get_random(8));
  }
  REQUIRE(eventually([&] { return status().device_state == DeviceState::Down; }));
  CHECK(status().problem.find("TPM_RC_FAILURE") != std::string::npos);
  const std::string name = "STATUS=TPM " + status().device;
  CHECK(manager.hears(name + " is not ready: " + status().problem + "; " + status().advice));
  // With a power cycle now and then there are moments without any TPM.
  CHECK(eventually([&] {
    const Answer answer = client.call(tpm::get_property(tbs::tpm::pt::kManufacturer));
    return answer.status == Status::Success && tpm::code(answer.response) == tpm::kSuccess;
  }));
  liar.be_honest();
  REQUIRE(eventually([&] { return status().device_state == DeviceState::Ready; }));
  CHECK(status().problem.empty());
  CHECK(manager.hears(name + " is ready"));
  CHECK(tpm::code(client.response(tpm::get_random(8))) == tpm::kSuccess);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a swtpm that stays in failure mode until it is powered anew gets that") {
  if (!only_on(DeviceKind::Swtpm)) return;
  TempFolder folder;
  SwtpmProcess swtpm(folder);
  swtpm.start();
  LyingTpm liar(folder, swtpm);
  DaemonProcess daemon(folder, {.device = liar.device()});
  daemon.wait_until_listening();
  RawClient client = RawClient::context(daemon.socket());
  RawClient observer = RawClient::observer(daemon.socket());
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
  // A TPM that was powered anew wants to be started.
  liar.lie([recovered = false](const Buffer& command, const LyingTpm::Ask& ask) mutable {
    const bool start = tbs::proto::read_tpm_header(command)->code == tbs::tpm::cc::kStartup;
    Buffer response = start || recovered ? ask(command) : Buffer();
    recovered = recovered || (start && tpm::code(response) == tpm::kSuccess);
    return recovered ? response : in_failure_mode(command, ask);
  });
  client.call(tpm::get_random(8));
  REQUIRE(eventually([&] { return observer.ask(tbs::proto::DaemonStatus{}).reopened > 0; }));
  REQUIRE(eventually(
      [&] { return observer.ask(tbs::proto::DaemonStatus{}).device_state == DeviceState::Ready; }));
  CHECK(tpm::code(client.response(tpm::get_random(8))) == tpm::kSuccess);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a TPM 1.2 that is disabled is not ready, until it is enabled again") {
  if (!only_on(DeviceKind::Embedded)) return;
  TempFolder folder;
  DaemonProcess daemon(folder, {.device = "embedded12"});
  daemon.wait_until_listening();
  RawClient client(daemon.socket());
  REQUIRE(client.hello(tbs::proto::Role::Context, tbs::proto::kWantTpm12).status ==
          Status::Success);
  RawClient observer = RawClient::observer(daemon.socket());
  const auto state = [&] { return observer.ask(tbs::proto::DaemonStatus{}).device_state; };
  const auto succeeds = [&client](std::uint32_t ordinal, std::optional<std::uint16_t> argument) {
    tbs::tpm12::CommandBuilder command(ordinal);
    if (argument) command.u16(*argument);
    return tpm::code(client.response(command.finish())) == tbs::tpm12::rc::kSuccess;
  };
  // Physical presence may be asserted by command, and is.
  REQUIRE(succeeds(tbs::tpm12::ord::kTscPhysicalPresence, 0x20));
  REQUIRE(succeeds(tbs::tpm12::ord::kTscPhysicalPresence, 0x08));
  REQUIRE(succeeds(tbs::tpm12::ord::kPhysicalDisable, std::nullopt));
  const Buffer random = tbs::tpm12::CommandBuilder(tbs::tpm12::ord::kGetRandom).u32(8).finish();
  CHECK(tpm::code(client.response(random)) == tbs::tpm12::rc::kDisabled);
  REQUIRE(eventually([&] { return state() == DeviceState::Down; }));
  CHECK(observer.ask(tbs::proto::DaemonStatus{}).problem.find("TPM_DISABLED") != std::string::npos);
  REQUIRE(succeeds(tbs::tpm12::ord::kPhysicalEnable, std::nullopt));
  REQUIRE(eventually([&] { return state() == DeviceState::Ready; }));
  CHECK(daemon.stop() == 0);
}
