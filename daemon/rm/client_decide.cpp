// Understands a client's command, and answers it without the TPM where that is possible: refusals,
// and what memory knows.

#include <utility>

#include "daemon/rm/capability_filter.h"
#include "daemon/rm/client_execution.h"

namespace tbs::rm {

using exec::Step;

bool ClientExecution::refuse(std::uint32_t code) {
  ++state_.statistics.refused;
  reply_ = tpm::refusal(code);
  return true;
}

bool ClientExecution::reply_from_memory(proto::Buffer reply) {
  ++state_.statistics.from_memory;
  reply_ = std::move(reply);
  return true;
}

std::optional<Step> ClientExecution::decide() {
  if (withdrawn()) return given_up();
  if (!state_.contexts.contains(context_)) return done(proto::Status::InvalidContext);
  const auto over = [this](bool replied) {
    if (replied) phase_ = Phase::Verify;
    return std::nullopt;
  };
  flushed_object_ = nullptr;
  flushed_session_ = claimed_ = dropped_ = nullptr;
  if (command_.size() > state_.facts.max_command_size) return over(refuse(tpm::rc::kCommandSize));
  const auto view = tpm::parse_command(command_, state_.commands);
  if (!view) return over(refuse(view.error()));
  view_ = *view;
  auto plan = make_plan(state_, context_, view_);
  if (!plan) return over(refuse(plan.error()));
  plan_ = *plan;
  for (Object* const object : plan_.objects.all()) object->last_used = state_.next_use();
  for (Session* const session : plan_.sessions.all()) session->last_used = state_.next_use();
  return over(decide_special());
}

bool ClientExecution::decide_special() {
  switch (view_.code()) {
    case tpm::cc::kFlushContext:
      return decide_flush();
    case tpm::cc::kContextSave:
      return decide_save();
    case tpm::cc::kContextLoad:
      return decide_load();
    case tpm::cc::kGetCapability:
      return decide_get_capability();
    case tpm::cc::kReadPublic:
      return decide_read_public();
    case tpm::cc::kStartAuthSession:
      return decide_new_session();
    default:
      return view_.info->returns_handle && object_limit_reached();
  }
}

bool ClientExecution::decide_get_capability() {
  if (view_.has_sessions()) return false;
  query_ = tpm::parse_capability_query(view_.parameters);
  if (!query_) return false;
  auto known = capability_from_memory(state_, context_, *query_);
  return known && reply_from_memory(std::move(*known));
}

bool ClientExecution::decide_read_public() {
  const Object* const object = plan_.handle_objects[0];
  if (view_.has_sessions() || object == nullptr || !view_.parameters.empty()) return false;
  return !object->public_response.empty() && reply_from_memory(object->public_response);
}

bool ClientExecution::object_limit_reached() {
  const exec::Limits& limits = state_.options.limits;
  if (state_.objects.count(context_) < limits.objects_per_context &&
      state_.objects.count(user()) < limits.objects_per_user) {
    return false;
  }
  return refuse(tpm::rc::kObjectMemory);
}

bool ClientExecution::decide_new_session() {
  const exec::Limits& limits = state_.options.limits;
  if (state_.sessions.count(context_) >= limits.sessions_per_context) {
    return refuse(tpm::rc::kSessionMemory);
  }
  if (state_.sessions.count(user()) < limits.sessions_per_user) return false;
  // A new session is worth more to the user than an orphan.
  dropped_ = state_.sessions.oldest_orphan(user());
  return dropped_ == nullptr && refuse(tpm::rc::kSessionMemory);
}

}  // namespace tbs::rm
