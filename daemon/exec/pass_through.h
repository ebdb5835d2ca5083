#pragma once

// The engine without resource management, for raw contexts: a client's bytes reach the TPM as they
// are, and handles are the TPM's own. What remains to be done is little: the TPM is started and
// asked what it is, and what a detached command created is flushed.

#include "daemon/exec/execution.h"

namespace tbs::exec {

class PassThrough : public Engine {
 public:
  // `identity` is filled in by each bring-up and must outlive the engine.
  explicit PassThrough(TpmIdentity& identity) : identity_(identity) {}

  void open_context(ContextId, const Principal&) override {}
  void skip_handles(ContextId, std::uint32_t) override {}
  void inherit(ContextId, ContextId) override {}
  void close_context(ContextId) override {}
  std::unique_ptr<Execution> execute(SharedCommand command) override;
  [[nodiscard]] std::size_t loads_needed(const ClientCommand&) const override { return 0; }
  proto::Status make_sticky(ContextId, std::uint32_t, bool) override {
    return proto::Status::BadParameter;
  }
  [[nodiscard]] std::optional<TimePoint> next_maintenance() const override { return std::nullopt; }
  std::unique_ptr<Execution> housekeeping() override { return nullptr; }
  [[nodiscard]] bool may_have_housekeeping() const override { return false; }
  std::unique_ptr<Execution> idle_housekeeping() override { return nullptr; }
  std::unique_ptr<Execution> evict_all() override { return nullptr; }
  std::unique_ptr<Execution> bring_up() override;
  std::unique_ptr<Execution> shutdown(bool owns_power) override;
  void device_lost() override {}

 private:
  TpmIdentity& identity_;
};

}  // namespace tbs::exec
