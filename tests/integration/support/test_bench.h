#pragma once

// What most scenarios need: a TPM of the kind under test (TBS_TEST_DEVICE), tbsd on it, and a look
// into tbsd from outside. The TPM can be stopped in its tracks, so that a command stays on it for
// exactly as long as a test wants, and it can be killed and brought back.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/integration/support/daemon_process.h"
#include "tests/integration/support/raw_client.h"
#include "tests/integration/support/swtpm_process.h"
#include "tests/integration/support/temp_folder.h"

namespace tbs::test {

// Kernel: /dev/tpm0, in the guest that tests/guest boots.
enum class DeviceKind { Embedded, Swtpm, Kernel };
DeviceKind device_under_test();
// Asks for another pace of the guest's emulated TPM (tests/guest/emulator).
void guest_emulator(const std::string& request);
// Whether the daemon is built with sanitizers, which change how much memory it needs.
bool sanitized();

class TestBench {
 public:
  // `options.device` stays empty unless the test brings one of its own.
  explicit TestBench(DaemonOptions options = {});
  // Checks that the daemon leaves with exit code 0 unless the test has stopped it.
  ~TestBench();
  TestBench(const TestBench&) = delete;
  TestBench& operator=(const TestBench&) = delete;

  RawClient context() { return RawClient::context(daemon_->socket()); }
  RawClient connect() { return RawClient(daemon_->socket()); }
  DaemonProcess& daemon() { return *daemon_; }
  SwtpmProcess& swtpm() { return *swtpm_; }
  TempFolder& folder() { return folder_; }
  [[nodiscard]] const std::string& socket() const { return daemon_->socket(); }
  [[nodiscard]] const std::string& everybodys_socket() const {
    return daemon_->everybodys_socket();
  }

  // A new daemon on the same TPM and state.
  void restart_daemon();
  int stop_daemon();

  void freeze_tpm();
  void thaw_tpm();
  // Freezes the TPM with a command of `client` on it; its answer (request id 1) comes after thaw.
  void occupy_tpm(RawClient& client);
  void kill_tpm();
  // Brings a killed TPM back, where the daemon does not do that by itself.
  void revive_tpm();

  proto::DaemonStatusReply status();
  std::vector<proto::ContextEntry> contexts();
  std::optional<proto::ContextEntry> entry_of(std::uint64_t context);
  // Waits until the context has this many commands waiting, and one or none running.
  bool wait_for_load(const RawClient& client, std::uint32_t queued, std::uint32_t running);
  bool wait_until_gone(std::uint64_t context);
  bool wait_until_ready();
  // Until the TPM does nothing, the daemon's own work between commands included.
  void wait_until_idle();

 private:
  void start_daemon();
  [[nodiscard]] pid_t tpm_process();

  TempFolder folder_;
  std::unique_ptr<SwtpmProcess> swtpm_;
  DaemonOptions options_;
  std::unique_ptr<DaemonProcess> daemon_;
  std::optional<RawClient> observer_;
  pid_t frozen_ = 0;
  bool emulator_frozen_ = false;
};

}  // namespace tbs::test
