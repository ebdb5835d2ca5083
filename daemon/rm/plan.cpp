#include "daemon/rm/plan.h"

#include "daemon/tpm/response_code.h"

namespace tbs::rm {
namespace {

Object* living_object(State& state, ContextId context, std::uint32_t handle) {
  Object* const object = state.objects.find(context, handle);
  if (object == nullptr || !object->lost()) return object;
  state.observer.lost(object->user, handle, tpm::rc::kHandle);
  state.objects.erase(*object);
  return nullptr;
}

// Looks up the handle with this number (from 0); returns 0 or what is wrong.
std::uint32_t plan_handle(State& state, ContextId context, const tpm::CommandView& command,
                          std::uint8_t number, Plan& plan) {
  const std::uint32_t handle = command.handles[number];
  if (tpm::is_transient(handle)) {
    Object* const object = living_object(state, context, handle);
    if (object == nullptr) return tpm::at_handle(tpm::rc::kHandle, number + 1U);
    plan.handle_objects[number] = object;
    plan.objects.add(object);
  } else if (tpm::is_session(handle)) {
    Session* const session = usable_session(state, context, handle);
    if (session == nullptr) return tpm::rc::kReferenceH0 + number;
    plan.sessions.add(session);
  } else if (tpm::handle_type(handle) == tpm::HandleType::Persistent) {
    if (state.facts.persistent_takes_slot) ++plan.object_slots;
  }
  return tpm::rc::kSuccess;
}

std::uint32_t plan_authorization(State& state, ContextId context, const tpm::CommandView& command,
                                 std::uint8_t number, Plan& plan) {
  const std::uint32_t handle = command.sessions[number].handle;
  if (!tpm::is_session(handle)) return tpm::rc::kSuccess;
  Session* const session = usable_session(state, context, handle);
  if (session == nullptr) return tpm::rc::kReferenceS0 + number;
  plan.authorizations[number] = session;
  plan.sessions.add(session);
  return tpm::rc::kSuccess;
}

}  // namespace

Session* usable_session(State& state, ContextId context, std::uint32_t handle) {
  Session* const session = state.sessions.find(handle);
  if (session == nullptr || session->handle != handle) return nullptr;
  return session->owner == context && !session->saved_by_client() ? session : nullptr;
}

std::expected<Plan, std::uint32_t> make_plan(State& state, ContextId context,
                                             const tpm::CommandView& command) {
  Plan plan;
  for (std::uint8_t i = 0; i < command.info->handles; ++i) {
    const std::uint32_t fault = plan_handle(state, context, command, i, plan);
    if (fault != tpm::rc::kSuccess) return std::unexpected(fault);
  }
  for (std::uint8_t i = 0; i < command.session_count; ++i) {
    const std::uint32_t fault = plan_authorization(state, context, command, i, plan);
    if (fault != tpm::rc::kSuccess) return std::unexpected(fault);
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
