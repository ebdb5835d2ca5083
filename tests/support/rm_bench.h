#pragma once

// Runs the resource manager against a TPM, synchronously, and counts. The TPM is a function from
// command to response: the real one (SoftwareTpm), a script, or one in front of the other.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/rm/resource_manager.h"
#include "proto/byte_reader.h"

namespace tbs::test {

// Remembers what the resource manager tells an administrator.
struct Notes final : rm::Observer {
  void tpm_restarted(bool reset, std::size_t objects, std::size_t sessions) override {
    ++restarts;
    resets += reset ? 1 : 0;
    objects_lost += objects;
    sessions_lost += sessions;
  }
  void lost(UserId, std::uint32_t handle, std::uint32_t) override {
    lost_handles.push_back(handle);
  }
  void session_dropped(UserId, std::uint32_t handle, std::string_view) override {
    dropped_sessions.push_back(handle);
  }
  void tables_differ(std::string_view difference) override { differences += difference; }

  int restarts = 0;
  int resets = 0;
  std::size_t objects_lost = 0;
  std::size_t sessions_lost = 0;
  std::vector<std::uint32_t> lost_handles;
  std::vector<std::uint32_t> dropped_sessions;
  std::string differences;
};

class RmBench {
 public:
  using Bytes = std::vector<std::uint8_t>;
  using Tpm = std::function<Bytes(std::span<const std::uint8_t>)>;

  RmBench(rm::Options options, Tpm tpm);

  // Runs an execution to its end.
  exec::Done run(exec::Execution& execution);
  // Runs what is due, then one client command; the client's response must be a success of TBS.
  Bytes submit(ContextId context, Bytes command);
  void bring_up();
  void run_due();
  void run_idle();

  // Between two steps: told of each command that goes to the TPM, before it does.
  std::function<void(const exec::Transmit&)> on_transmit;

  // The time that orphans age by.
  TimePoint now{};
  Notes notes;
  rm::ResourceManager manager;
  // The command codes of everything that was sent to the TPM.
  std::vector<std::uint32_t> sent;
  std::chrono::milliseconds paused{0};

 private:
  exec::Step answer(exec::Execution& execution, const exec::Transmit& transmit);

  Tpm tpm_;
};

}  // namespace tbs::test
