#pragma once

// The engines of one TPM, with their guards: all that RecordedEngine's snapshots are made of.

#include "daemon/exec/execution.h"
#include "daemon/exec/inventory_engine.h"
#include "daemon/exec/raw_context_router.h"
#include "daemon/policy/authorization_guard.h"
#include "daemon/policy/ownership_guard.h"
#include "daemon/restart/engine_state.h"
#include "daemon/rm/resource_manager.h"
#include "daemon/rm12/resource_manager.h"

namespace tbs::restart {

class EngineParts final : public EngineState {
 public:
  struct Parts {
    exec::TpmIdentity& identity;
    rm12::ResourceManager& manager12;
    rm::ResourceManager& manager20;
    exec::RawContextRouter& router;
    exec::InventoryEngine& inventory;
    policy::AuthorizationGuard& authorization;
    policy::OwnershipGuard& ownership;
  };

  // All must outlive it.
  explicit EngineParts(const Parts& parts) : parts_(parts) {}

  void save(RecordWriter& record) const override;
  void restore(RecordReader& record) override;
  void apply(const Setting& setting) override;

 private:
  Parts parts_;
};

}  // namespace tbs::restart
