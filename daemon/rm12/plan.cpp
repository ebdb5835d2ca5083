#include "daemon/rm12/plan.h"

#include <algorithm>

#include "daemon/rm12/release.h"
#include "daemon/tpm12/capability.h"

namespace tbs::rm12 {
namespace {

namespace rc = tpm12::rc;
namespace ord = tpm12::ord;
using tpm12::CommandView;
using Fault = std::uint32_t;  // a return code; 0 when nothing is wrong

// One command's part of the plan.
class Planner {
 public:
  Planner(State& state, ContextId context, const CommandView& command, Plan& plan, bool wrapped)
      : state_(state),
        context_(context),
        command_(command),
        plan_(plan),
        wrapped_(wrapped),
        auths_(wrapped ? plan.wrapped_auths : plan.auths) {}

  Fault run() {
    for (std::uint8_t i = 0; i < command_.info->keys; ++i) {
      if (const Fault fault = key(command_.keys[i])) return fault;
    }
    if (const Fault fault = special()) return fault;
    for (std::uint8_t i = 0; i < command_.auth_count; ++i) {
      const auto& auth = command_.auths[i];
      auths_[i] = usable(state_, context_, auth.kind, auth.handle.value);
      if (auths_[i] == nullptr) return rc::kInvalidAuthHandle;
      plan_.place(auth.handle.offset, *auths_[i]);
    }
    if (command_.info->creates) plan_.creates = command_.info->creates;
    return rc::kSuccess;
  }

 private:
  Fault key(const tpm12::HandleField& field, Resource** found = nullptr) {
    Resource* const resource = usable(state_, context_, Kind::Key, field.value);
    if (found != nullptr) *found = resource;
    if (resource != nullptr) {
      plan_.place(field.offset, *resource);
      return rc::kSuccess;
    }
    const bool passes = tpm12::is_reserved(field.value) || is_shared_key(state_, field.value);
    return passes ? rc::kSuccess : rc::kInvalidKeyHandle;
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
        return wrapped_ ? rc::kSuccess : capability();
      default:
        return rc::kSuccess;
    }
  }

  // entityType, entityValue or keyHandle, ...
  Fault entity(std::uint8_t type_of_keys) {
    proto::ByteReader reader(command_.parameters);
    const auto type = static_cast<std::uint8_t>(reader.be16());
    const std::uint32_t value = reader.be32();
    if (!reader.ok()) return rc::kBadParamSize;
    plan_.entity = value;
    if (type != type_of_keys) return rc::kSuccess;
    return key({.offset = command_.parameters_offset + 2, .value = value}, &plan_.entity_key);
  }

  // handle, stage, ...: stage 0 makes the session.
  Fault daa() {
    proto::ByteReader reader(command_.parameters);
    const std::uint32_t handle = reader.be32();
    const std::uint8_t stage = reader.u8();
    if (!reader.ok()) return rc::kBadParamSize;
    if (stage == 0) return rc::kSuccess;
    Resource* const session = usable(state_, context_, Kind::Daa, handle);
    if (session == nullptr) return rc::kBadHandle;
    plan_.place(command_.parameters_offset, *session);
    return rc::kSuccess;
  }

  Fault capability() {
    const auto query = tpm12::parse_capability_query(command_.parameters);
    if (!query) return rc::kSuccess;
    // Whether a key could be loaded: room is made where there is none.
    if (query->area == tpm12::cap::kCheckLoaded) plan_.creates = Kind::Key;
    if (query->area != tpm12::cap::kKeyStatus || !query->sub) return rc::kSuccess;
    return key(
        {.offset = command_.parameters_offset + tpm12::kSubCapabilityOffset, .value = *query->sub});
  }

  State& state_;
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

Resource* usable(State& state, ContextId context, Kind kind, std::uint32_t handle) {
  Resource* const resource = state.table.find(context, kind, handle);
  if (resource == nullptr || resource->saved_by_client()) return nullptr;
  const bool key_lost = resource->key != nullptr && resource->key->lost();
  if (!resource->lost() && !key_lost) return resource;
  lose(state, key_lost ? *resource->key : *resource, rc::kInvalidKeyHandle);
  return nullptr;
}

bool is_shared_key(const State& state, std::uint32_t handle) {
  return std::ranges::find(state.table.permanent_keys, handle) != state.table.permanent_keys.end();
}

std::expected<Plan, std::uint32_t> make_plan(State& state, ContextId context,
                                             const CommandView& command,
                                             const CommandView* wrapped) {
  Plan plan;
  Fault fault = Planner(state, context, command, plan, false).run();
  if (fault == rc::kSuccess && wrapped != nullptr) {
    fault = Planner(state, context, *wrapped, plan, true).run();
  }
  if (fault != rc::kSuccess) return std::unexpected(fault);
  return plan;
}

}  // namespace tbs::rm12
