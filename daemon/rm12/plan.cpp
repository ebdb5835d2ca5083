#include "daemon/rm12/plan.h"

#include <algorithm>

#include "daemon/tpm12/capability.h"

namespace tbs::rm12 {
namespace {

namespace rc = tpm12::rc;
namespace ord = tpm12::ord;
using exec::VirtualHandle;
using tpm12::CommandView;
using Fault = std::optional<PlanFault>;

// One command's part of the plan.
class Planner {
 public:
  Planner(const State& state, ContextId context, const CommandView& command, Plan& plan,
          bool wrapped)
      : state_(state),
        context_(context),
        command_(command),
        plan_(plan),
        wrapped_(wrapped),
        auths_(wrapped ? plan.wrapped_auths : plan.auths) {}

  Fault run() {
    for (std::uint8_t i = 0; i < command_.info->keys; ++i) {
      if (Fault fault = key(command_.keys[i])) return fault;
    }
    if (Fault fault = special()) return fault;
    for (std::uint8_t i = 0; i < command_.auth_count; ++i) {
      const auto& auth = command_.auths[i];
      const Lookup found = look_up(state_, context_, auth.kind, VirtualHandle{auth.handle.value});
      if (found.usable == nullptr) return PlanFault{rc::kInvalidAuthHandle, found.lost};
      auths_[i] = found.usable;
      plan_.place(auth.handle.offset, *auths_[i]);
    }
    if (command_.info->creates) plan_.creates = command_.info->creates;
    return std::nullopt;
  }

 private:
  Fault key(const tpm12::HandleField& field, Resource** found = nullptr) {
    const VirtualHandle handle{field.value};
    const Lookup key = look_up(state_, context_, Kind::Key, handle);
    if (key.usable != nullptr) {
      plan_.place(field.offset, *key.usable);
      if (found != nullptr) *found = key.usable;
      return std::nullopt;
    }
    const bool passes = tpm12::is_reserved(field.value) || is_shared_key(state_, handle);
    if (key.lost == nullptr && passes) return std::nullopt;
    return PlanFault{rc::kInvalidKeyHandle, key.lost};
  }

  // Handles within the parameters.
  Fault special() {
    switch (command_.ordinal) {
      case ord::kOsap:
        return entity(tpm12::entity::kKeyHandle);
      case ord::kDsap:
        return entity(tpm12::entity::kDelegatedKeyBlob);
      case ord::kDaaJoin:
      case ord::kDaaSign:
        return daa();
      case ord::kGetCapability:
        return wrapped_ ? std::nullopt : capability();
      default:
        return std::nullopt;
    }
  }

  // entityType, entityValue or keyHandle, ...
  Fault entity(std::uint8_t type_of_keys) {
    proto::ByteReader reader(command_.parameters);
    const auto type = static_cast<std::uint8_t>(reader.be16());
    const std::uint32_t value = reader.be32();
    if (!reader.ok()) return PlanFault{rc::kBadParamSize};
    plan_.entity = value;
    if (type != type_of_keys) return std::nullopt;
    return key({.offset = command_.parameters_offset + 2, .value = value}, &plan_.entity_key);
  }

  // handle, stage, ...: stage 0 makes the session.
  Fault daa() {
    proto::ByteReader reader(command_.parameters);
    const VirtualHandle handle{reader.be32()};
    const std::uint8_t stage = reader.u8();
    if (!reader.ok()) return PlanFault{rc::kBadParamSize};
    if (stage == 0) return std::nullopt;
    const Lookup session = look_up(state_, context_, Kind::Daa, handle);
    if (session.usable == nullptr) return PlanFault{rc::kBadHandle, session.lost};
    plan_.place(command_.parameters_offset, *session.usable);
    return std::nullopt;
  }

  Fault capability() {
    const auto query = tpm12::parse_capability_query(command_.parameters);
    if (!query) return std::nullopt;
    // Whether a key could be loaded: room is made where there is none.
    if (query->area == tpm12::cap::kCheckLoaded) plan_.creates = Kind::Key;
    if (query->area != tpm12::cap::kKeyStatus || !query->sub) return std::nullopt;
    return key(
        {.offset = command_.parameters_offset + tpm12::kSubCapabilityOffset, .value = *query->sub});
  }

  const State& state_;
  ContextId context_;
  const CommandView& command_;
  Plan& plan_;
  bool wrapped_;  // its parameters may be encrypted, all but the handles of OSAP and DSAP
  std::array<Resource*, tpm12::kMaxAuths>& auths_;
};

}  // namespace

void Plan::need(Resource& resource) {
  all.add(&resource);
  if (resource.is_key()) {
    keys.add(&resource);
    return;
  }
  sessions.add(&resource);
  if (resource.key != nullptr) need(*resource.key);
}

Lookup look_up(const State& state, ContextId context, Kind kind, VirtualHandle handle) {
  Resource* const resource = state.table.find(context, kind, handle);
  if (resource == nullptr || resource->saved_by_client()) return {};
  if (resource->key != nullptr && resource->key->lost()) return {.lost = resource->key};
  if (resource->lost()) return {.lost = resource};
  return {.usable = resource};
}

bool is_shared_key(const State& state, VirtualHandle handle) {
  const auto& shared = state.table.permanent_keys;
  return std::ranges::find(shared, handle, as_seen_by_client) != shared.end();
}

std::expected<Plan, PlanFault> make_plan(const State& state, ContextId context,
                                         const CommandView& command, const CommandView* wrapped) {
  Plan plan;
  Fault fault = Planner(state, context, command, plan, false).run();
  if (!fault && wrapped != nullptr) fault = Planner(state, context, *wrapped, plan, true).run();
  if (fault) return std::unexpected(*fault);
  return plan;
}

}  // namespace tbs::rm12
