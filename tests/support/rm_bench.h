#pragma once

// The resource manager for TPM 2.0 against a TPM.

#include <utility>

#include "tests/support/manager_bench.h"
#include "tests/support/restarting_manager.h"

namespace tbs::test {

class RmBench final : public ManagerBench {
 public:
  RmBench(exec::Options options, Tpm tpm)
      : ManagerBench(Family::Tpm20, std::move(tpm)),
        manager((options.now = [this] { return now; }, std::move(options)), notes) {}

  // The time that orphans age by.
  TimePoint now{};
  RestartingRm manager;

 private:
  exec::Engine& engine() override { return manager; }
};

}  // namespace tbs::test
