#pragma once

// Runs the TPM 1.2 resource manager against a TPM, synchronously, and counts; the counterpart of
// rm_bench.h.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "daemon/rm12/resource_manager.h"
#include "tests/support/rm_bench.h"

namespace tbs::test {

class Rm12Bench {
 public:
  using Bytes = std::vector<std::uint8_t>;
  using Tpm = std::function<Bytes(std::span<const std::uint8_t>)>;

  Rm12Bench(rm::Options options, Tpm tpm)
      : manager(std::move(options), notes), tpm_(std::move(tpm)) {}

  // Runs an execution to its end.
  exec::Done run(exec::Execution& execution);
  // Runs what is due, then one client command; the client's response must be a success of TBS.
  Bytes submit(ContextId context, Bytes command);
  void bring_up();
  void run_due();
  void run_idle();

  // Between two steps: told of each command that goes to the TPM, before it does.
  std::function<void(exec::Execution&, const exec::Transmit&)> on_transmit;

  Notes notes;
  rm12::ResourceManager manager;
  // The ordinals of everything that was sent to the TPM.
  std::vector<std::uint32_t> sent;
  std::chrono::milliseconds paused{0};

 private:
  Tpm tpm_;
};

}  // namespace tbs::test
