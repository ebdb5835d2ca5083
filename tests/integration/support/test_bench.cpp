#include "tests/integration/support/test_bench.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <utility>

#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

namespace tbs::test {
namespace {

// Longer than the pause after which the daemon tidies up an idle TPM.
constexpr std::chrono::milliseconds kIdle{150};

// In the guest a TPM thaws by itself after this time. When the kernel gives up a command, the
// virtual machine stands still until the TPM goes on, and with it the test that would thaw it.
constexpr const char* kGuestFreeze = "freeze 20000";

}  // namespace

DeviceKind device_under_test() {
  const char* const kind = std::getenv("TBS_TEST_DEVICE");
  if (kind == nullptr || std::string(kind) == "embedded") return DeviceKind::Embedded;
  if (std::string(kind) == "swtpm") return DeviceKind::Swtpm;
  if (std::string(kind) == "kernel") return DeviceKind::Kernel;
  throw std::runtime_error("TBS_TEST_DEVICE is none of embedded, swtpm and kernel");
}

void guest_emulator(const std::string& request) {
  const char* const program = std::getenv("TBS_GUEST_EMULATOR");
  if (program == nullptr) throw std::runtime_error("TBS_GUEST_EMULATOR is not set");
  if (std::system((std::string(program) + " " + request).c_str()) != 0) {
    throw std::runtime_error("the emulator refused: " + request);
  }
}

bool sanitized() {
  return std::getenv("TBS_TEST_SANITIZED") != nullptr;
}

TestBench::TestBench(DaemonOptions options) : options_(std::move(options)) {
  if (options_.device.empty() && device_under_test() == DeviceKind::Swtpm) {
    swtpm_ = std::make_unique<SwtpmProcess>(folder_);
    swtpm_->start();
    options_.device = swtpm_->device();
  } else if (options_.device.empty() && device_under_test() == DeviceKind::Kernel) {
    options_.device = "/dev/tpm0";
  } else if (options_.device.empty()) {
    options_.device = "embedded:" + folder_ / "embedded-state";
  }
  start_daemon();
}

TestBench::~TestBench() {
  if (!daemon_->program().running()) return;
  thaw_tpm();
  const int exit_code = stop_daemon();
  if (std::uncaught_exceptions() == 0) CHECK(exit_code == 0);
}

void TestBench::start_daemon() {
  daemon_ = std::make_unique<DaemonProcess>(folder_, options_);
  daemon_->wait_until_listening();
  // Its answer comes when the TPM has been started.
  const std::uint64_t own = RawClient::context(daemon_->socket()).context_id();
  observer_ = RawClient::observer(daemon_->socket());
  wait_until_gone(own);
}

void TestBench::restart_daemon() {
  observer_.reset();
  daemon_.reset();
  start_daemon();
}

int TestBench::stop_daemon() {
  return daemon_->stop();
}

pid_t TestBench::tpm_process() {
  if (swtpm_) return swtpm_->pid();
  const auto children = children_of(daemon_->program().pid());
  if (children.empty()) throw std::runtime_error("tbsd has no embedded TPM");
  return children.front();
}

void TestBench::wait_until_idle() {
  std::uint64_t before = 0;
  for (std::uint64_t now = status().transmitted; now != before; now = status().transmitted) {
    before = now;
    std::this_thread::sleep_for(kIdle);
  }
}

void TestBench::freeze_tpm() {
  wait_until_idle();
  if (device_under_test() == DeviceKind::Kernel) {
    guest_emulator(kGuestFreeze);
    emulator_frozen_ = true;
    return;
  }
  frozen_ = tpm_process();
  freeze(frozen_);
}

void TestBench::thaw_tpm() {
  if (std::exchange(emulator_frozen_, false)) guest_emulator("thaw");
  if (frozen_ != 0) thaw(std::exchange(frozen_, 0));
}

void TestBench::occupy_tpm(RawClient& client) {
  freeze_tpm();
  client.submit(1, tpm::get_random(8));
  if (!wait_for_load(client, 0, 1)) throw std::runtime_error("the TPM takes no command");
}

void TestBench::kill_tpm() {
  frozen_ = 0;
  if (swtpm_) {
    swtpm_->kill();
  } else {
    ::kill(tpm_process(), SIGKILL);
  }
}

void TestBench::revive_tpm() {
  if (swtpm_) swtpm_->start();
}

proto::DaemonStatusReply TestBench::status() {
  return observer_->ask(proto::DaemonStatus{});
}

std::vector<proto::ContextEntry> TestBench::contexts() {
  std::vector<proto::ContextEntry> all;
  proto::ContextList page{.more = 1};
  while (page.more != 0) {
    const std::uint64_t after = all.empty() ? 0 : all.back().context;
    page = observer_->ask(proto::ListContexts{.after = after});
    all.insert(all.end(), page.entries.begin(), page.entries.end());
  }
  return all;
}

std::optional<proto::ContextEntry> TestBench::entry_of(std::uint64_t context) {
  const auto all = contexts();
  const auto found = std::ranges::find(all, context, &proto::ContextEntry::context);
  if (found == all.end()) return std::nullopt;
  return *found;
}

bool TestBench::wait_for_load(const RawClient& client, std::uint32_t queued,
                              std::uint32_t running) {
  return eventually([&] {
    const auto entry = entry_of(client.context_id());
    return entry && entry->queued == queued && entry->running == running;
  });
}

bool TestBench::wait_until_gone(std::uint64_t context) {
  return eventually([&] { return !entry_of(context); });
}

bool TestBench::wait_until_ready() {
  return eventually([this] { return status().device_state == proto::DeviceState::Ready; });
}

}  // namespace tbs::test
