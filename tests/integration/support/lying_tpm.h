#pragma once

// Stands between tbsd and a swtpm, with sockets of its own, and changes what goes through as the
// test says: a TPM that lies, or that fails and recovers.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "proto/byte_writer.h"
#include "tests/integration/support/swtpm_process.h"
#include "tests/integration/support/temp_folder.h"

namespace tbs::test {

class LyingTpm {
 public:
  // From a command to its response; `ask` asks the TPM.
  using Ask = std::function<proto::Buffer(const proto::Buffer&)>;
  using Lie = std::function<proto::Buffer(const proto::Buffer& command, const Ask& ask)>;

  // swtpm must be running.
  LyingTpm(const TempFolder& folder, const SwtpmProcess& swtpm);
  ~LyingTpm();
  LyingTpm(const LyingTpm&) = delete;
  LyingTpm& operator=(const LyingTpm&) = delete;

  // For tbsd's --device; without a control channel there is no power cycle.
  [[nodiscard]] std::string device(bool control = true) const;

  // From the next command on. It is called in a thread of this object's.
  void lie(Lie lie);
  void be_honest() { lie(nullptr); }

  // Every command, those that never reached the TPM included.
  [[nodiscard]] std::uint64_t commands() const { return commands_; }

 private:
  using Answer = std::function<bool(int client, int server)>;

  void serve(int listener, const std::string& server, const Answer& answer);
  bool answer_command(int client, int server);

  std::string data_;
  std::string control_;
  std::mutex mutex_;
  std::shared_ptr<Lie> lie_ = std::make_shared<Lie>();  // with what it remembers
  std::atomic<std::uint64_t> commands_{0};
  std::atomic<bool> stop_{false};
  std::thread data_thread_;
  std::thread control_thread_;
};

// The answer of a TPM in failure mode, which knows two commands only.
proto::Buffer in_failure_mode(const proto::Buffer& command, const LyingTpm::Ask& ask);

}  // namespace tbs::test
