#pragma once

// Chooses the engine by the TPM family: the TPM is started and asked what it is, then brought up by
// the engine that knows its kind. Until then nothing is executed, so the choice is made in time.

#include "daemon/exec/execution.h"

namespace tbs::exec {

class FamilyEngine : public Engine {
 public:
  // All must outlive it. `identity` is filled in by each bring-up.
  FamilyEngine(Engine& tpm12, Engine& tpm20, TpmIdentity& identity)
      : tpm12_(tpm12), tpm20_(tpm20), identity_(identity) {}

  void open_context(ContextId context, UserId user) override;
  void close_context(ContextId context) override;
  std::unique_ptr<Execution> execute(ContextId context, std::uint8_t locality,
                                     std::vector<std::uint8_t> command) override;
  [[nodiscard]] std::size_t loads_needed(ContextId context,
                                         std::span<const std::uint8_t> command) override {
    return chosen().loads_needed(context, command);
  }
  proto::Status make_sticky(ContextId context, std::uint32_t handle, bool sticky) override {
    return chosen().make_sticky(context, handle, sticky);
  }
  [[nodiscard]] Holdings held_by(ContextId context) override { return chosen().held_by(context); }
  std::unique_ptr<Execution> housekeeping() override { return chosen().housekeeping(); }
  std::unique_ptr<Execution> idle_housekeeping() override { return chosen().idle_housekeeping(); }
  [[nodiscard]] std::optional<TimePoint> next_maintenance() override {
    return chosen().next_maintenance();
  }
  std::unique_ptr<Execution> evict_all() override { return chosen().evict_all(); }
  std::unique_ptr<Execution> bring_up() override;
  std::unique_ptr<Execution> shutdown(bool owns_power) override;
  void device_lost() override;

 private:
  Engine& chosen() { return identity_.version == 1 ? tpm12_ : tpm20_; }

  Engine& tpm12_;
  Engine& tpm20_;
  TpmIdentity& identity_;
};

}  // namespace tbs::exec
