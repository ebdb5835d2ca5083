#include "daemon/rm/context_commands.h"

#include <algorithm>

#include "daemon/rm/session_share.h"
#include "daemon/tpm/saved_context.h"
#include "proto/tpm/commands.h"

namespace tbs::rm {
namespace {

using proto::Bytes;

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

void ContextCommands::reset() {
  flushed_object_ = nullptr;
  flushed_session_ = claimed_ = nullptr;
}

bool ContextCommands::object_limit_reached() {
  const exec::Limits& limits = run_.state.options.limits_of(run_.principal().account);
  if (run_.state.objects.count(run_.context) < limits.objects_per_context &&
      run_.state.objects.count(run_.principal().account) < limits.objects_per_user) {
    return false;
  }
  return run_.refuse(tpm::rc::kObjectMemory);
}

void ContextCommands::put_flushed(std::span<std::uint8_t> command) const {
  if (flushed_object_ != nullptr) {
    tpm::put_be32(command, tpm::kHeaderSize, number_of(*flushed_object_->physical));
  }
  // The client may have named it the way saved sessions are listed.
  if (flushed_session_ != nullptr) {
    tpm::put_be32(command, tpm::kHeaderSize, number_of(flushed_session_->handle));
  }
}

bool ContextCommands::decide_flush() {
  if (run_.view.has_sessions()) return run_.refuse(tpm::rc::kAuthContext);
  proto::ByteReader reader(run_.view.parameters);
  const std::uint32_t handle = reader.be32();
  if (!reader.ok()) return run_.refuse(tpm::at_parameter(tpm::rc::kInsufficient, 1));
  if (!reader.at_end()) return run_.refuse(tpm::rc::kSize);
  if (tpm::is_transient(handle)) return flush_object(exec::VirtualHandle{handle});
  return tpm::is_session(handle) && flush_session(exec::PhysicalHandle{handle});
}

// Programs tidy up what they had on a lost connection, and some go on with a stale session when
// that fails (tpm2-pkcs11 at C_Logout). It is gone, which is what they want.
bool ContextCommands::has_lost_connections() const {
  return run_.state.objects.is_skipped(run_.context, exec::VirtualHandle{tpm::kTransientFirst});
}

bool ContextCommands::flush_object(exec::VirtualHandle handle) {
  Object* const object = run_.state.objects.find(run_.context, handle);
  if (object == nullptr && run_.state.objects.is_skipped(run_.context, handle)) {
    return run_.reply_from_memory(tpm::bare_response(tpm::rc::kSuccess));
  }
  if (object == nullptr) return run_.refuse(kUnknownParameter);
  if (object->loaded()) {
    flushed_object_ = object;
    return false;
  }
  run_.state.objects.erase(*object);
  return run_.reply_from_memory(tpm::bare_response(tpm::rc::kSuccess));
}

bool ContextCommands::flush_session(exec::PhysicalHandle handle) {
  Session* const session = run_.state.sessions.find(handle);
  const bool own = session != nullptr && (session->orphan() ? session->principal == run_.principal()
                                                            : session->owner == run_.context);
  if (own) {
    flushed_session_ = session;
    return false;
  }
  // One of this number may be somebody else's by now.
  if (has_lost_connections()) {
    return run_.reply_from_memory(tpm::bare_response(tpm::rc::kSuccess));
  }
  return run_.refuse(kUnknownParameter);
}

void ContextCommands::finish_flush() {
  if (flushed_object_ != nullptr) run_.state.objects.erase(*flushed_object_);
  if (flushed_session_ != nullptr) run_.state.sessions.erase(*flushed_session_);
  flushed_object_ = nullptr;
  flushed_session_ = nullptr;
}

bool ContextCommands::decide_save() {
  if (run_.view.has_sessions()) return run_.refuse(tpm::rc::kAuthContext);
  if (!run_.view.parameters.empty()) return run_.refuse(tpm::rc::kSize);
  // What is saved as it is now is not saved twice.
  const Object* const object = run_.plan.handle_objects[0];
  if (object != nullptr) {
    return object->saved.current() &&
           run_.reply_from_memory(success_with(Bytes(object->saved.context())));
  }
  if (run_.plan.sessions.all().empty()) return false;
  Session& session = *run_.plan.sessions.all().front();
  if (session.loaded) return false;
  session.client_blob = session.saved.context();
  run_.state.sessions.set_sticky(session, false);
  return run_.reply_from_memory(success_with(Bytes(session.client_blob)));
}

void ContextCommands::finish_save(const tpm::ResponseView& response, bool detached) {
  const auto context = tpm::parse_saved_context(response.parameters);
  if (!context) {
    run_.state.check_due = true;
    return;
  }
  proto::Buffer blob(context->bytes.begin(), context->bytes.end());
  if (Object* const object = run_.plan.handle_objects[0]) {
    object->hierarchy = context->hierarchy;
    if (!object->sequence) object->saved.store(std::move(blob));
  } else if (!run_.plan.sessions.all().empty()) {
    Session& session = *run_.plan.sessions.all().front();
    // With nobody there to keep the blob, the session stays usable by its handle.
    if (!detached) session.client_blob = blob;
    run_.state.sessions.set_sticky(session, false);
    run_.state.sessions.set_saved(session, std::move(blob), context->sequence,
                                  run_.state.facts.context_gap);
  }
}

bool ContextCommands::decide_load() {
  if (run_.view.has_sessions()) return run_.refuse(tpm::rc::kAuthContext);
  const auto blob = tpm::parse_saved_context(run_.view.parameters);
  if (!blob) return run_.refuse(tpm::at_parameter(tpm::rc::kInsufficient, 1));
  // Some callers pad the structure, and not every TPM likes that.
  if (blob->bytes.size() != run_.view.parameters.size()) {
    run_.instead = tpm::build::context_load(blob->bytes);
    run_.command = run_.instead;
    run_.view = *tpm::parse_command(run_.command, run_.state.commands);
    return decide_load();
  }
  if (!tpm::is_session(blob->handle)) return object_limit_reached();
  return load_session(blob->bytes, exec::PhysicalHandle{blob->handle});
}

bool ContextCommands::load_session(const Bytes& blob, exec::PhysicalHandle handle) {
  run_.plan.object_slots = 0;
  const auto same = [handle](exec::PhysicalHandle stray) {
    return tpm::handle_index(number_of(stray)) == tpm::handle_index(number_of(handle));
  };
  if (std::ranges::any_of(run_.state.stray_sessions, same)) return run_.refuse(kUnknownParameter);
  if (Session* const session = run_.state.sessions.find(handle)) {
    return load_known_session(*session, blob);
  }
  run_.plan.session_slots = 1;
  return run_.state.sessions.count(run_.context) >=
             run_.state.options.limits_of(run_.principal().account).sessions_per_context &&
         run_.refuse(tpm::rc::kSessionMemory);
}

bool ContextCommands::load_known_session(Session& session, Bytes blob) {
  const bool entitled = session.principal == run_.principal() && session.saved_by_client() &&
                        std::ranges::equal(session.client_blob, blob);
  if (!entitled) return run_.refuse(kUnknownParameter);
  if (session.owner != run_.context &&
      run_.state.sessions.count(run_.context) >=
          run_.state.options.limits_of(run_.principal().account).sessions_per_context) {
    return run_.refuse(tpm::rc::kSessionMemory);
  }
  // Loading it is all that there is to do: the client's own command is never sent.
  claimed_ = &session;
  run_.plan.sessions.add(&session);
  return false;
}

bool ContextCommands::claim_loaded_session() {
  if (claimed_ == nullptr) return false;
  claimed_->owner = run_.context;
  claimed_->client_blob.clear();
  claimed_->last_used = run_.state.next_use();
  run_.reply = success_with(number_of(claimed_->handle));
  return true;
}

}  // namespace tbs::rm
