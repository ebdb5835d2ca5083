#pragma once

// Runs a resource manager against a TPM, synchronously, and counts. The TPM is a function from
// command to response: the real one (SoftwareTpm), a script, or one in front of the other. RmBench
// and Rm12Bench are it with the manager of each family.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "daemon/exec/execution.h"
#include "daemon/exec/limits.h"
#include "tests/support/observer_notes.h"

namespace tbs::test {

// The tables are compared with the TPM after every command.
inline exec::Options verified() {
  exec::Options options;
  options.verify = true;
  return options;
}

class ManagerBench {
 public:
  using Bytes = std::vector<std::uint8_t>;
  using Tpm = std::function<Bytes(std::span<const std::uint8_t>)>;

  ManagerBench(Family family, Tpm tpm) : family_(family), tpm_(std::move(tpm)) {}

  // Runs an execution to its end.
  exec::Done run(exec::Execution& execution);
  // Withdraws it after this many commands to the TPM.
  exec::Done run(exec::Execution& execution, std::size_t steps);
  // The execution of one client command, not yet started.
  std::unique_ptr<exec::Execution> execute(ContextId context, Bytes command);
  // Runs what is due, then one client command; the client's response must be a success of TBS. A
  // command that the TPM is not ready for is executed anew, as the dispatcher does.
  Bytes submit(ContextId context, Bytes command);
  void bring_up();
  void run_due();
  void run_idle();
  // The same, but it gives way after this many steps, as for a client's command.
  void run_idle(std::size_t steps);

  // Between two steps: told of each command that goes to the TPM, before it does.
  std::function<void(exec::Execution&, const exec::Transmit&)> on_transmit;
  // Before a command is executed anew: what comes from others meanwhile.
  std::function<void()> between;

  Notes notes;
  // The command codes of everything that was sent to the TPM.
  std::vector<std::uint32_t> sent;
  std::chrono::milliseconds paused{0};

 protected:
  ~ManagerBench() = default;

 private:
  virtual exec::Engine& engine() = 0;

  Family family_;
  Tpm tpm_;
};

}  // namespace tbs::test
