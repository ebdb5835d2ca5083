#pragma once

// All the engines of one TPM with their guards, put together as the daemon does, for lives that end
// early (tests/support/restarting_engine.h).

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/exec/family_engine.h"
#include "daemon/exec/guard_chain.h"
#include "daemon/exec/guarded_engine.h"
#include "daemon/exec/inventory_engine.h"
#include "daemon/exec/pass_through.h"
#include "daemon/exec/raw_context_router.h"
#include "daemon/policy/authorization_guard.h"
#include "daemon/policy/ownership_guard.h"
#include "daemon/restart/engine_parts.h"
#include "daemon/restart/outside.h"
#include "tests/support/restarting_engine.h"
#include "tests/support/told.h"

namespace tbs::test {

// What all lives find outside: it goes on, whoever dies.
struct World final : policy::OwnershipGuard::Judge {
  TimePoint steady{};
  MachineTime machine{.since_boot = 1000, .wall = 1'700'000'000};
  bool blocks = false;  // what would be made on the TPM
  std::string boot = "boot";

  std::optional<proto::Buffer> judge(const ClientCommand&) override {
    if (!blocks) return std::nullopt;
    return proto::Buffer{0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x43};
  }
};

class EngineLife final : public Life {
 public:
  explicit EngineLife(World& world)
      : outside_({.steady = [&world] { return world.steady; },
                  .machine = [&world] { return world.machine; }}),
        authorization_([this] { return outside_.machine(); }, world.boot) {
    outside_.set_judge(world);
    authorization_.set_commands(manager20_.commands());
    ownership_.set_judge(outside_);
    inventory_.on_inventory([this](const tpm::Inventory& found) { ownership_.learn(found); });
  }

  exec::Engine& engine() override { return guarded_; }
  restart::EngineState& state() override { return parts_; }
  restart::Outside& outside() override { return outside_; }
  std::string take_told() override { return told_.take(); }

  [[nodiscard]] const policy::Ownership& ownership() const { return ownership_.ownership(); }
  [[nodiscard]] const policy::AuthorizationGuard& authorization() const { return authorization_; }

 private:
  // What the manager learns of the TPM's lockout, the guard is told.
  struct ToGuard final : exec::Observer {
    explicit ToGuard(policy::AuthorizationGuard& one) : guard(one) {}
    void lockout_learnt(const tpm::Lockout& lockout) override { guard.learn(lockout); }
    policy::AuthorizationGuard& guard;
  };

  exec::Options options() {
    return {.limits = {.objects_per_context = 8, .sessions_per_context = 6},
            .now = [this] { return outside_.steady(); }};
  }

  restart::Outside outside_;
  exec::TpmIdentity identity_;
  policy::AuthorizationGuard authorization_;
  ToGuard to_guard_{authorization_};
  Told told_{&to_guard_};
  rm12::ResourceManager manager12_{options(), told_};
  rm::ResourceManager manager20_{options(), told_};
  exec::FamilyEngine family_{manager12_, manager20_, identity_};
  exec::PassThrough raw_{identity_};
  exec::RawContextRouter router_{family_, raw_};
  policy::OwnershipGuard ownership_{manager20_.commands(),
                                    [this] { return outside_.machine().wall; }};
  exec::GuardChain guards_{&ownership_, &authorization_};
  exec::InventoryEngine inventory_{router_, identity_};
  exec::GuardedEngine guarded_{inventory_, guards_};
  restart::EngineParts parts_{{.identity = identity_,
                               .manager12 = manager12_,
                               .manager20 = manager20_,
                               .router = router_,
                               .inventory = inventory_,
                               .authorization = authorization_,
                               .ownership = ownership_}};
};

}  // namespace tbs::test
