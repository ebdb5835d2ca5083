// After the TPM has run a client's command: what it made is registered, what it ended is dropped,
// and the response gets the client's own handles.

#include <algorithm>
#include <array>

#include "daemon/rm/capability_filter.h"
#include "daemon/rm/client_execution.h"
#include "daemon/tpm/saved_context.h"

namespace tbs::rm {
namespace {

using exec::Step;
using proto::Bytes;

// Whatever else returns an object (sequences, vendor commands) returns one that may change.
constexpr std::array kMakersOfKeys = {tpm::cc::kCreatePrimary, tpm::cc::kLoad,
                                      tpm::cc::kLoadExternal, tpm::cc::kCreateLoaded};

// What the fixed capabilities may change with.
bool changes_capabilities(std::uint32_t code) {
  return code == tpm::cc::kSetAlgorithmSet || code == tpm::cc::kFieldUpgradeStart ||
         code == tpm::cc::kFieldUpgradeData || (code & tpm::cc::kVendorBit) != 0;
}

// What the TPM's count of failed authorizations and its limit may change with.
bool changes_lockout(std::uint32_t code) {
  return code == tpm::cc::kDictionaryAttackLockReset ||
         code == tpm::cc::kDictionaryAttackParameters || code == tpm::cc::kClear;
}

}  // namespace

Step ClientExecution::finish(Bytes response) {
  const auto view = tpm::parse_response(response, shape());
  if (!view) {
    state_.check_due = true;
    return done(proto::Status::IoError);
  }
  reply_.assign(response.begin(), response.end());
  phase_ = Phase::After;
  if (view->success()) {
    finish_success(*view);
  } else if (tpm::is_auth_fail(view->code)) {
    state_.lockout_due = true;
  } else if (view->code == tpm::at_parameter(tpm::rc::kHandle, 1)) {
    finish_flush();  // what it was about is not there
  }
  return next();
}

void ClientExecution::finish_success(const tpm::ResponseView& response) {
  remember();
  end_sessions(response);
  if (view_.info->flushes_handles) end_objects();
  finish_flush();
  if (view_.code() == tpm::cc::kContextSave) finish_save(response);
  if (view_.info->returns_handle) register_result(response.handle);
  note_side_effects();
}

void ClientExecution::end_sessions(const tpm::ResponseView& response) {
  for (std::uint8_t i = 0; i < view_.session_count; ++i) {
    Session* const session = plan_.authorizations[i];
    if (session == nullptr || response.session_attributes[i] & tpm::kContinueSession) continue;
    std::ranges::replace(plan_.authorizations, session, nullptr);
    state_.sessions.erase(*session);
  }
}

void ClientExecution::end_objects() {
  for (Object* const object : plan_.objects.all()) state_.objects.erase(*object);
}

void ClientExecution::register_result(std::uint32_t handle) {
  if (tpm::is_transient(handle)) {
    register_object(handle);
  } else if (tpm::is_session(handle)) {
    register_session(handle);
  }
}

void ClientExecution::register_object(std::uint32_t physical) {
  const bool loaded = view_.code() == tpm::cc::kContextLoad;
  const auto blob = tpm::parse_saved_context(loaded ? view_.parameters : Bytes{});
  const bool sequence = blob
                            ? blob->handle == tpm::kSavedSequence
                            : std::ranges::find(kMakersOfKeys, view_.code()) == kMakersOfKeys.end();
  Object& object = state_.objects.add(context_, physical, sequence);
  object.last_used = state_.next_use();
  if (blob && !sequence) {
    object.saved.store({blob->bytes.begin(), blob->bytes.end()});
    object.hierarchy = blob->hierarchy;
  }
  tpm::put_be32(reply_, tpm::handle_offset(0), object.virtual_handle);
  if (!detached()) return;
  state_.objects.erase(object);
  state_.stray_objects.push_back(physical);
}

void ClientExecution::register_session(std::uint32_t handle) {
  Session& session = state_.sessions.add(handle, context_, user());
  session.last_used = state_.next_use();
  if (!detached() || view_.code() != tpm::cc::kStartAuthSession) return;
  state_.sessions.erase(session);
  state_.stray_sessions.push_back(handle);
}

void ClientExecution::remember() {
  if (view_.code() == tpm::cc::kGetCapability && query_) {
    filter_capability(state_, context_, *query_, reply_);
  } else if (view_.code() == tpm::cc::kReadPublic && !view_.has_sessions()) {
    if (Object* const object = plan_.handle_objects[0]) object->public_response = reply_;
  }
}

void ClientExecution::note_side_effects() {
  const std::uint32_t code = view_.code();
  if (changes_capabilities(code)) state_.capabilities.clear();
  if (changes_lockout(code)) state_.lockout_due = true;
  if (code == tpm::cc::kStartup) {
    probe_.emplace(state_, TpmProbe::Reason::Restart);
  } else if (view_.info->extensive) {
    drop_cleared_hierarchies();
    probe_.emplace(state_, TpmProbe::Reason::Removal);
  }
}

void ClientExecution::drop_cleared_hierarchies() {
  switch (view_.code()) {
    case tpm::cc::kClear:
      drop_hierarchy(state_, tpm::kRhOwner);
      drop_hierarchy(state_, tpm::kRhEndorsement);
      break;
    case tpm::cc::kChangeEps:
      drop_hierarchy(state_, tpm::kRhEndorsement);
      break;
    case tpm::cc::kChangePps:
      drop_hierarchy(state_, tpm::kRhPlatform);
      break;
    case tpm::cc::kHierarchyControl: {
      proto::ByteReader reader(view_.parameters);
      const std::uint32_t hierarchy = reader.be32();
      if (reader.u8() == 0) drop_hierarchy(state_, hierarchy);
      break;
    }
    default:
      break;
  }
}

}  // namespace tbs::rm
