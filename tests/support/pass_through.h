#pragma once

// The simplest engine that there can be, for tests of those who use engines: a client's bytes reach
// the TPM as they are. The TPM is started and asked what it is, and what a detached command created
// is flushed.

#include "daemon/exec/execution.h"

namespace tbs::test {

class PassThrough : public exec::Engine {
 public:
  // `identity` is filled in by each bring-up and must outlive the engine.
  explicit PassThrough(exec::TpmIdentity& identity) : identity_(identity) {}

  void open_context(ContextId, UserId) override {}
  void close_context(ContextId) override {}
  std::unique_ptr<exec::Execution> execute(ContextId context, std::uint8_t locality,
                                           std::vector<std::uint8_t> command) override;
  [[nodiscard]] std::size_t loads_needed(ContextId, std::span<const std::uint8_t>) override {
    return 0;
  }
  std::unique_ptr<exec::Execution> housekeeping() override { return nullptr; }
  std::unique_ptr<exec::Execution> idle_housekeeping() override { return nullptr; }
  std::unique_ptr<exec::Execution> bring_up() override;
  std::unique_ptr<exec::Execution> wind_down(bool owns_power) override;
  void device_lost() override {}

 private:
  exec::TpmIdentity& identity_;
};

}  // namespace tbs::test
