#include "daemon/rm/plan.h"

#include "daemon/tpm/response_code.h"

namespace tbs::rm {
namespace {

using Fault = std::optional<PlanFault>;

// Looks up the handle with this number (from 0).
Fault plan_handle(const State& state, ContextId context, const tpm::CommandView& command,
                  std::uint8_t number, Plan& plan) {
  const std::uint32_t handle = command.handles[number];
  if (tpm::is_transient(handle)) {
    Object* const object = state.objects.find(context, exec::VirtualHandle{handle});
    const std::uint32_t unknown = tpm::at_handle(tpm::rc::kHandle, number + 1U);
    if (object == nullptr) return PlanFault{.code = unknown};
    if (object->lost()) return PlanFault{.code = unknown, .lost = object};
    plan.handle_objects[number] = object;
    plan.objects.add(object);
  } else if (tpm::is_session(handle)) {
    Session* const session = usable_session(state, context, exec::PhysicalHandle{handle});
    if (session == nullptr) return PlanFault{.code = tpm::rc::kReferenceH0 + number};
    plan.sessions.add(session);
  } else if (tpm::handle_type(handle) == tpm::HandleType::Persistent) {
    if (state.facts.persistent_takes_slot) ++plan.object_slots;
  }
  return std::nullopt;
}

Fault plan_authorization(const State& state, ContextId context, const tpm::CommandView& command,
                         std::uint8_t number, Plan& plan) {
  const std::uint32_t handle = command.sessions[number].handle;
  if (!tpm::is_session(handle)) return std::nullopt;
  Session* const session = usable_session(state, context, exec::PhysicalHandle{handle});
  if (session == nullptr) return PlanFault{.code = tpm::rc::kReferenceS0 + number};
  plan.authorizations[number] = session;
  plan.sessions.add(session);
  return std::nullopt;
}

}  // namespace

Session* usable_session(const State& state, ContextId context, exec::PhysicalHandle handle) {
  Session* const session = state.sessions.find(handle);
  if (session == nullptr || session->handle != handle) return nullptr;
  return session->owner == context && !session->saved_by_client() ? session : nullptr;
}

std::expected<Plan, PlanFault> make_plan(const State& state, ContextId context,
                                         const tpm::CommandView& command) {
  Plan plan;
  for (std::uint8_t i = 0; i < command.info->handles; ++i) {
    if (const Fault fault = plan_handle(state, context, command, i, plan)) {
      return std::unexpected(*fault);
    }
  }
  for (std::uint8_t i = 0; i < command.session_count; ++i) {
    if (const Fault fault = plan_authorization(state, context, command, i, plan)) {
      return std::unexpected(*fault);
    }
  }
  plan.object_slots += command.info->working_slots;
  if (command.code() == tpm::cc::kStartAuthSession) {
    ++plan.session_slots;
  } else if (command.info->returns_handle) {
    ++plan.object_slots;
  }
  return plan;
}

}  // namespace tbs::rm
