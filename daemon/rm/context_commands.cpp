// FlushContext, ContextSave and ContextLoad of clients. Objects behave as on a TPM: any context may
// load a saved object. A saved session can be loaded by its user alone, with the very blob that
// the client was given; the daemon exchanges it for the current one.

#include <algorithm>

#include "daemon/rm/client_execution.h"
#include "daemon/rm/session_share.h"
#include "daemon/tpm/builder.h"
#include "daemon/tpm/saved_context.h"

namespace tbs::rm {
namespace {

using proto::Bytes;

// TPM_RC_AUTH_CONTEXT: these commands take no authorization.
constexpr std::uint32_t kAuthContext = 0x145;

// What the TPM says of a handle or a session context that it does not know (first parameter).
constexpr std::uint32_t kUnknownParameter = tpm::at_parameter(tpm::rc::kHandle, 1);

proto::Buffer success_with(std::uint32_t handle) {
  proto::Buffer response = tpm::bare_response(tpm::rc::kSuccess);
  proto::ByteWriter(response).be32(handle);
  tpm::put_be32(response, 2, static_cast<std::uint32_t>(response.size()));
  return response;
}

proto::Buffer success_with(Bytes parameters) {
  proto::Buffer response = tpm::bare_response(tpm::rc::kSuccess);
  proto::ByteWriter(response).bytes(parameters);
  tpm::put_be32(response, 2, static_cast<std::uint32_t>(response.size()));
  return response;
}

}  // namespace

bool ClientExecution::decide_flush() {
  if (view_.has_sessions()) return refuse(kAuthContext);
  proto::ByteReader reader(view_.parameters);
  const std::uint32_t handle = reader.be32();
  if (!reader.ok()) return refuse(tpm::at_parameter(tpm::rc::kInsufficient, 1));
  if (!reader.at_end()) return refuse(tpm::rc::kSize);
  if (tpm::is_transient(handle)) return flush_object(handle);
  return tpm::is_session(handle) && flush_session(handle);
}

bool ClientExecution::flush_object(std::uint32_t handle) {
  Object* const object = state_.objects.find(context_, handle);
  if (object == nullptr) return refuse(kUnknownParameter);
  if (object->loaded()) {
    flushed_object_ = object;
    return false;
  }
  state_.objects.erase(*object);
  return reply_from_memory(tpm::bare_response(tpm::rc::kSuccess));
}

bool ClientExecution::flush_session(std::uint32_t handle) {
  Session* const session = state_.sessions.find(handle);
  if (session == nullptr) return refuse(kUnknownParameter);
  const bool own = session->orphan() ? session->user == user() : session->owner == context_;
  if (!own) return refuse(kUnknownParameter);
  flushed_session_ = session;
  return false;
}

void ClientExecution::finish_flush() {
  if (flushed_object_ != nullptr) state_.objects.erase(*flushed_object_);
  if (flushed_session_ != nullptr) state_.sessions.erase(*flushed_session_);
  flushed_object_ = nullptr;
  flushed_session_ = nullptr;
}

bool ClientExecution::decide_save() {
  if (view_.has_sessions()) return refuse(kAuthContext);
  if (!view_.parameters.empty()) return refuse(tpm::rc::kSize);
  // What is saved as it is now is not saved twice.
  const Object* const object = plan_.handle_objects[0];
  if (object != nullptr) {
    return object->saved.current() &&
           reply_from_memory(success_with(Bytes(object->saved.context())));
  }
  if (plan_.sessions.all().empty()) return false;
  Session& session = *plan_.sessions.all().front();
  if (session.loaded) return false;
  session.client_blob = session.saved.context();
  state_.sessions.set_sticky(session, false);
  return reply_from_memory(success_with(Bytes(session.client_blob)));
}

void ClientExecution::finish_save(const tpm::ResponseView& response) {
  const auto context = tpm::parse_saved_context(response.parameters);
  if (!context) {
    state_.check_due = true;
    return;
  }
  proto::Buffer blob(context->bytes.begin(), context->bytes.end());
  if (Object* const object = plan_.handle_objects[0]) {
    object->hierarchy = context->hierarchy;
    if (!object->sequence) object->saved.store(std::move(blob));
  } else if (!plan_.sessions.all().empty()) {
    Session& session = *plan_.sessions.all().front();
    // With nobody there to keep the blob, the session stays usable by its handle.
    if (!detached()) session.client_blob = blob;
    state_.sessions.set_sticky(session, false);
    state_.sessions.set_saved(session, std::move(blob), context->sequence);
  }
}

bool ClientExecution::decide_load() {
  if (view_.has_sessions()) return refuse(kAuthContext);
  const auto blob = tpm::parse_saved_context(view_.parameters);
  if (!blob) return refuse(tpm::at_parameter(tpm::rc::kInsufficient, 1));
  // Some callers pad the structure, and not every TPM likes that.
  if (blob->bytes.size() != view_.parameters.size()) {
    command_ = tpm::build::context_load(blob->bytes);
    view_ = *tpm::parse_command(command_, state_.commands);
    return decide_load();
  }
  if (!tpm::is_session(blob->handle)) return object_limit_reached();
  plan_.object_slots = 0;
  const auto same = [&blob](std::uint32_t handle) {
    return tpm::handle_index(handle) == tpm::handle_index(blob->handle);
  };
  if (std::ranges::any_of(state_.stray_sessions, same)) return refuse(kUnknownParameter);
  if (Session* const session = state_.sessions.find(blob->handle)) {
    return load_known_session(*session, blob->bytes);
  }
  plan_.session_slots = 1;
  return state_.sessions.count(context_) >= state_.options.limits.sessions_per_context &&
         refuse(tpm::rc::kSessionMemory);
}

bool ClientExecution::load_known_session(Session& session, Bytes blob) {
  const bool entitled = session.user == user() && session.saved_by_client() &&
                        std::ranges::equal(session.client_blob, blob);
  if (!entitled) return refuse(kUnknownParameter);
  if (session.owner != context_ &&
      state_.sessions.count(context_) >= state_.options.limits.sessions_per_context) {
    return refuse(tpm::rc::kSessionMemory);
  }
  // Loading it is all that there is to do: the client's own command is never sent.
  claimed_ = &session;
  plan_.sessions.add(&session);
  return false;
}

bool ClientExecution::claim_loaded_session() {
  if (claimed_ == nullptr) return false;
  claimed_->owner = context_;
  claimed_->client_blob.clear();
  claimed_->last_used = state_.next_use();
  reply_ = success_with(claimed_->handle);
  return true;
}

}  // namespace tbs::rm
