#pragma once

// Finds out what the TPM holds that outlives all contexts (NV indices, persistent objects): after
// each bring-up, and after commands that may remove many of them at once. What cannot be found out
// is not told; the TPM is used all the same.

#include <functional>
#include <utility>

#include "daemon/exec/forwarding_engine.h"
#include "daemon/tpm/inventory.h"

namespace tbs::exec {

class InventoryEngine final : public ForwardingEngine {
 public:
  using Told = std::function<void(const tpm::Inventory&)>;

  // Both must outlive it. `identity` says of which family the TPM is, after the bring-up.
  InventoryEngine(Engine& engine, const TpmIdentity& identity)
      : engine_(engine), identity_(identity) {}

  void on_inventory(Told told) { told_ = std::move(told); }

  std::unique_ptr<Execution> execute(SharedCommand command) override;
  std::unique_ptr<Execution> housekeeping() override;
  [[nodiscard]] bool may_have_housekeeping() const override {
    return due_ || engine_.may_have_housekeeping();
  }
  std::unique_ptr<Execution> bring_up() override;

  template <typename Record>
  void fields(Record& record) {
    record(due_);
  }

 private:
  [[nodiscard]] Engine& behind() const override { return engine_; }

  Engine& engine_;
  const TpmIdentity& identity_;
  Told told_ = [](const tpm::Inventory&) {};
  bool due_ = false;
};

}  // namespace tbs::exec
