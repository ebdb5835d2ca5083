// Understands a client's command, and answers it without the TPM where that is possible: refusals,
// and what memory knows.

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/rm12/capability.h"
#include "daemon/rm12/client_execution.h"
#include "daemon/rm12/release.h"
#include "proto/service_codes.h"

namespace tbs::rm12 {
namespace {

namespace ord = tpm12::ord;
namespace rc = tpm12::rc;

// What cannot be translated within a transport session: the handle's type, or the blob, is
// encrypted there; or the TPM does not wrap it.
constexpr std::array kNotWrappable = {
    ord::kChangeAuthAsymStart,
    ord::kChangeAuthAsymFinish,
    ord::kEvictKey,
    ord::kKeyControlOwner,
    ord::kDaaJoin,
    ord::kDaaSign,
    ord::kReset,
    ord::kTerminateHandle,
    ord::kStartup,
    ord::kSaveKeyContext,
    ord::kLoadKeyContext,
    ord::kSaveAuthContext,
    ord::kLoadAuthContext,
    ord::kSaveContext,
    ord::kLoadContext,
    ord::kFlushSpecific,
    ord::kEstablishTransport,
    ord::kExecuteTransport,
    ord::kReleaseTransportSigned,
};

}  // namespace

// A command that is malformed costs its sessions nothing.
bool ClientExecution::refuse(std::uint32_t code) {
  if (!reply_.empty()) return true;
  ++state_.statistics.refused;
  reply_ = tpm12::bare_response(code);
  return true;
}

// As on a TPM, a command that is refused for what it asks ends its sessions.
bool ClientExecution::refuse_run(std::uint32_t code) {
  const bool retried = !reply_.empty();
  refuse(code);
  if (retried) return true;
  const auto end_named = [this](const tpm12::CommandView& command) {
    for (std::uint8_t i = 0; i < command.auth_count; ++i) {
      const auto& auth = command.auths[i];
      Resource* const session = state_.table.find(context_, auth.kind, auth.handle.value);
      if (session != nullptr && !session->saved_by_client()) release(state_, *session);
    }
  };
  end_named(view_);
  if (wrapped_) end_named(*wrapped_);
  return true;
}

bool ClientExecution::reply_from_memory(proto::Buffer reply) {
  ++state_.statistics.from_memory;
  reply_ = std::move(reply);
  return true;
}

bool ClientExecution::understand() {
  saved_ = claimed_ = nullptr;
  wanted_.reset();
  wrapped_.reset();
  const auto view = tpm12::parse_command(command_);
  if (!view) return refuse(view.error());
  view_ = *view;
  if (view_.ordinal == ord::kExecuteTransport) {
    const auto wrapped = tpm12::parse_wrapped_command(view_);
    if (!wrapped) return refuse(wrapped.error());
    wrapped_ = *wrapped;
    if (!wrappable()) return refuse_run(proto::service::kEmbeddedCommandUnsupported);
  }
  auto plan = make_plan(state_, context_, view_, wrapped_ ? &*wrapped_ : nullptr);
  if (!plan) return refuse_run(plan.error());
  plan_ = *plan;
  if (decide_special()) return true;
  for (Resource* const resource : plan_.all.all()) resource->last_used = state_.next_use();
  return false;
}

bool ClientExecution::wrappable() const {
  return (wrapped_->ordinal & ord::kVendorBit) == 0 &&
         std::ranges::find(kNotWrappable, wrapped_->ordinal) == kNotWrappable.end();
}

bool ClientExecution::decide_special() {
  switch (view_.ordinal) {
    case ord::kGetCapability:
      return decide_get_capability();
    case ord::kReset:
      return decide_reset();
    case ord::kDaaJoin:
    case ord::kDaaSign:
      return plan_.placements.all().size() == view_.auth_count && decide_create(Kind::Daa);
    // The handle of the ephemeral key is part of what the response's HMAC covers. The
    // specification has deprecated both.
    case ord::kChangeAuthAsymStart:
    case ord::kChangeAuthAsymFinish:
      return refuse_run(rc::kDisabledCommand);
    default:
      break;
  }
  if (decide_context_command()) return true;
  return plan_.creates && decide_create(*plan_.creates);
}

bool ClientExecution::decide_get_capability() {
  const auto query = tpm12::parse_capability_query(view_.parameters);
  if (!query) return false;
  auto known = capability_from_memory(state_, context_, *query);
  return known && reply_from_memory(std::move(*known));
}

bool ClientExecution::decide_create(Kind kind) {
  const exec::Limits& limits = state_.options.limits;
  const bool key = kind == Kind::Key;
  const std::size_t for_context = key ? limits.objects_per_context : limits.sessions_per_context;
  const std::size_t for_user = key ? limits.objects_per_user : limits.sessions_per_user;
  // One that is loaded again is counted already.
  const std::size_t known = claimed_ != nullptr && claimed_->owner == context_ ? 1 : 0;
  if (state_.table.count(context_, key) < for_context + known &&
      state_.table.count(user(), key) < for_user + known) {
    return false;
  }
  return refuse_run(rc::kResources);
}

// On a TPM it ends all authorization sessions; here, those of the context.
bool ClientExecution::decide_reset() {
  if (!view_.parameters.empty()) return refuse(rc::kBadParamSize);
  for (const std::uint32_t handle : state_.table.handles(context_, Kind::Auth)) {
    release(state_, *state_.table.find(context_, Kind::Auth, handle));
  }
  return reply_from_memory(tpm12::bare_response(rc::kSuccess));
}

}  // namespace tbs::rm12
