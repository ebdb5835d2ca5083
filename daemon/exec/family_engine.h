#pragma once

// Chooses the engine by the TPM family: the TPM is started and asked what it is, then brought up by
// the engine that knows its kind. Until then nothing is executed, so the choice is made in time.

#include "daemon/exec/forwarding_engine.h"

namespace tbs::exec {

class FamilyEngine final : public ForwardingEngine {
 public:
  // All must outlive it. `identity` is filled in by each bring-up.
  FamilyEngine(Engine& tpm12, Engine& tpm20, TpmIdentity& identity)
      : tpm12_(tpm12), tpm20_(tpm20), identity_(identity) {}

  void open_context(ContextId context, const Principal& principal) override;
  void skip_handles(ContextId context, std::uint32_t earlier) override;
  void inherit(ContextId heir, ContextId from) override;
  void close_context(ContextId context) override;
  std::unique_ptr<Execution> bring_up() override;
  void device_lost() override;

 private:
  [[nodiscard]] Engine& behind() const override {
    return identity_.family == Family::Tpm12 ? tpm12_ : tpm20_;
  }

  Engine& tpm12_;
  Engine& tpm20_;
  TpmIdentity& identity_;
};

}  // namespace tbs::exec
