#pragma once

// tbsd on a TPM 1.2 of the kind under test (TBS_TEST_DEVICE: embedded, swtpm, or kernel in the
// guest), and clients of it through libtbs.

#include <memory>
#include <tbs.h>

#include "tests/integration/support/daemon_process.h"
#include "tests/integration/support/swtpm_process.h"
#include "tests/integration/support/temp_folder.h"
#include "tests/support/client12/client.h"

namespace tbs::test {

// A context of libtbs, with a TPM 1.2 client on top.
class LibraryClient {
 public:
  LibraryClient();
  ~LibraryClient();
  LibraryClient(const LibraryClient&) = delete;
  LibraryClient& operator=(const LibraryClient&) = delete;

  client12::Client& operator*() { return client_; }
  client12::Client* operator->() { return &client_; }

 private:
  client12::Bytes submit(const client12::Bytes& command);

  TBS_HCONTEXT context_ = nullptr;
  client12::Client client_;
};

class Tpm12Bench {
 public:
  explicit Tpm12Bench(std::vector<std::string> arguments = {});
  // Checks that the daemon leaves with exit code 0.
  ~Tpm12Bench();
  Tpm12Bench(const Tpm12Bench&) = delete;
  Tpm12Bench& operator=(const Tpm12Bench&) = delete;

  DaemonProcess& daemon() { return *daemon_; }
  // Gives the TPM its owner. That of the guest has it still when an earlier test has done so.
  void take_ownership(LibraryClient& client);
  // Ends the daemon in the given way and starts another one on the same TPM.
  void restart_daemon(bool kill);

 private:
  void start_daemon();

  TempFolder folder_;
  std::unique_ptr<SwtpmProcess> swtpm_;
  DaemonOptions options_;
  std::unique_ptr<DaemonProcess> daemon_;
};

}  // namespace tbs::test
