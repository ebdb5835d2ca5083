#pragma once

// The resource manager for TPM 1.2 against a TPM.

#include <utility>

#include "tests/support/manager_bench.h"
#include "tests/support/restarting_manager.h"

namespace tbs::test {

class Rm12Bench final : public ManagerBench {
 public:
  Rm12Bench(exec::Options options, Tpm tpm)
      : ManagerBench(Family::Tpm12, std::move(tpm)), manager(std::move(options), notes) {}

  RestartingRm12 manager;

 private:
  exec::Engine& engine() override { return manager; }
};

}  // namespace tbs::test
