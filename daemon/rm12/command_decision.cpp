#include "daemon/rm12/command_decision.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/rm12/capability.h"
#include "daemon/rm12/flush_commands.h"
#include "daemon/rm12/release.h"
#include "daemon/tpm12/response.h"
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

bool wrappable(std::uint32_t ordinal) {
  return (ordinal & ord::kVendorBit) == 0 &&
         std::ranges::find(kNotWrappable, ordinal) == kNotWrappable.end();
}

}  // namespace

bool CommandDecision::decide() {
  if (understand() || plan() || decide_special()) return true;
  for (Resource* const resource : run_.plan.all.all()) resource->last_used = run_.state.next_use();
  return false;
}

bool CommandDecision::understand() {
  contexts_.reset();
  run_.wrapped.reset();
  const auto view = tpm12::parse_command(run_.command);
  if (!view) return run_.refuse(view.error());
  run_.view = *view;
  return run_.view.ordinal == ord::kExecuteTransport && understand_wrapped();
}

bool CommandDecision::understand_wrapped() {
  const auto wrapped = tpm12::parse_wrapped_command(run_.view);
  if (!wrapped) return run_.refuse(wrapped.error());
  run_.wrapped = *wrapped;
  return !wrappable(wrapped->ordinal) &&
         run_.refuse_run(proto::service::kEmbeddedCommandUnsupported);
}

bool CommandDecision::plan() {
  const auto plan =
      make_plan(run_.state, run_.context, run_.view, run_.wrapped ? &*run_.wrapped : nullptr);
  if (plan) {
    run_.plan = *plan;
    return false;
  }
  const PlanFault fault = plan.error();
  if (fault.lost != nullptr) lose(run_.state, *fault.lost, rc::kInvalidKeyHandle);
  return run_.refuse_run(fault.code);
}

bool CommandDecision::decide_special() {
  switch (run_.view.ordinal) {
    case ord::kGetCapability:
      return decide_get_capability();
    case ord::kReset:
      return decide_reset();
    case ord::kFlushSpecific:
      return decide_flush_specific(run_);
    case ord::kEvictKey:
      return decide_evict_key(run_);
    case ord::kTerminateHandle:
      return decide_terminate_handle(run_);
    case ord::kDaaJoin:
    case ord::kDaaSign:
      return run_.plan.placements.all().size() == run_.view.auth_count &&
             contexts_.limit_reached(Kind::Daa);
    // The handle of the ephemeral key is part of what the response's HMAC covers. The
    // specification has deprecated both.
    case ord::kChangeAuthAsymStart:
    case ord::kChangeAuthAsymFinish:
      return run_.refuse_run(rc::kDisabledCommand);
    default:
      break;
  }
  if (contexts_.decide()) return true;
  return run_.plan.creates && contexts_.limit_reached(*run_.plan.creates);
}

bool CommandDecision::decide_get_capability() {
  const auto query = tpm12::parse_capability_query(run_.view.parameters);
  if (!query) return false;
  auto known = capability_from_memory(run_.state, run_.context, *query);
  return known && run_.reply_from_memory(std::move(*known));
}

// On a TPM it ends all authorization sessions; here, those of the context.
bool CommandDecision::decide_reset() {
  if (!run_.view.parameters.empty()) return run_.refuse(rc::kBadParamSize);
  for (const exec::VirtualHandle handle : run_.state.table.handles(run_.context, Kind::Auth)) {
    release(run_.state, *run_.state.table.find(run_.context, Kind::Auth, handle));
  }
  return run_.reply_from_memory(tpm12::bare_response(rc::kSuccess));
}

}  // namespace tbs::rm12
