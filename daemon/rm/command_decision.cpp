#include "daemon/rm/command_decision.h"

#include <utility>

#include "daemon/rm/capability_filter.h"

namespace tbs::rm {

bool CommandDecision::understand() {
  contexts_.reset();
  repair_.keep_all_sessions();
  if (run_.command.size() > run_.state.facts.max_command_size) {
    return run_.refuse(tpm::rc::kCommandSize);
  }
  const auto view = tpm::parse_command(run_.command, run_.state.commands);
  if (!view) return run_.refuse(view.error());
  run_.view = *view;
  const auto plan = make_plan(run_.state, run_.context, run_.view);
  if (!plan) return refuse(plan.error());
  run_.plan = *plan;
  for (Object* const object : run_.plan.objects.all()) object->last_used = run_.state.next_use();
  for (Session* const session : run_.plan.sessions.all()) {
    session->last_used = run_.state.next_use();
  }
  return false;
}

bool CommandDecision::refuse(const PlanFault& fault) {
  if (fault.lost != nullptr) {
    run_.state.observer.lost(fault.lost->principal.user, number_of(fault.lost->virtual_handle),
                             tpm::rc::kHandle);
    run_.state.objects.erase(*fault.lost);
  }
  return run_.refuse(fault.code);
}

bool CommandDecision::decide() {
  if (understand()) return true;
  switch (run_.view.code()) {
    case tpm::cc::kFlushContext:
      return contexts_.decide_flush();
    case tpm::cc::kContextSave:
      return contexts_.decide_save();
    case tpm::cc::kContextLoad:
      return contexts_.decide_load();
    case tpm::cc::kGetCapability:
      return decide_get_capability();
    case tpm::cc::kReadPublic:
      return decide_read_public();
    case tpm::cc::kStartAuthSession:
      return decide_new_session();
    default:
      return run_.view.info->returns_handle && contexts_.object_limit_reached();
  }
}

bool CommandDecision::decide_get_capability() {
  if (run_.view.has_sessions()) return false;
  query_ = tpm::parse_capability_query(run_.view.parameters);
  if (!query_) return false;
  auto known = capability_from_memory(run_.state, run_.context, *query_);
  return known && run_.reply_from_memory(std::move(*known));
}

bool CommandDecision::decide_read_public() {
  const Object* const object = run_.plan.handle_objects[0];
  if (run_.view.has_sessions() || object == nullptr || !run_.view.parameters.empty()) return false;
  return !object->public_response.empty() && run_.reply_from_memory(object->public_response);
}

bool CommandDecision::decide_new_session() {
  const exec::Limits& limits = run_.state.options.limits_of(run_.principal().account);
  if (run_.state.sessions.count(run_.context) >= limits.sessions_per_context) {
    return run_.refuse(tpm::rc::kSessionMemory);
  }
  if (run_.state.sessions.count(run_.principal().account) < limits.sessions_per_user) return false;
  // A new session is worth more to the user than an orphan.
  Session* const orphan = run_.state.sessions.oldest_orphan(run_.principal().account);
  if (orphan == nullptr) return run_.refuse(tpm::rc::kSessionMemory);
  repair_.drop(*orphan);
  return false;
}

}  // namespace tbs::rm
