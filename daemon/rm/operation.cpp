#include "daemon/rm/operation.h"

#include "daemon/tpm/response_code.h"
#include "daemon/tpm/saved_context.h"
#include "proto/tpm/commands.h"

namespace tbs::rm {
namespace {

// Format-one codes blame a handle or parameter: here, the one that the operation is about.
bool says_missing(std::uint32_t code) {
  return (code & tpm::rc::kFormatOne) != 0 || tpm::remedy_of(code) == tpm::Remedy::CheckTables;
}

void forget_stray(State& state, exec::PhysicalHandle handle) {
  std::erase(state.stray_objects, handle);
  std::erase(state.stray_sessions, handle);
}

bool saved_object(State& state, Object& object, proto::Bytes parameters) {
  const auto context = tpm::parse_saved_context(parameters);
  if (!context) return false;
  object.saved.store({context->bytes.begin(), context->bytes.end()});
  object.hierarchy = context->hierarchy;
  ++state.statistics.object_saves;
  return true;
}

bool saved_session(State& state, Session& session, proto::Bytes parameters) {
  const auto context = tpm::parse_saved_context(parameters);
  if (!context) return false;
  state.sessions.set_saved(session, {context->bytes.begin(), context->bytes.end()},
                           context->sequence, state.facts.context_gap);
  ++state.statistics.session_saves;
  return true;
}

bool loaded_object(State& state, Object& object, std::uint32_t handle) {
  if (!tpm::is_transient(handle)) return false;
  state.objects.set_loaded(object, exec::PhysicalHandle{handle});
  if (object.sequence) object.saved.clear();
  ++state.statistics.object_loads;
  return true;
}

bool loaded_session(State& state, Session& session, std::uint32_t handle) {
  if (handle != number_of(session.handle)) return false;
  state.sessions.set_loaded(session);
  ++state.statistics.session_loads;
  return true;
}

// An object that cannot be found: without a blob it is lost, and so is one that does not load.
void lose(State& state, const Operation& operation, std::uint32_t code) {
  Object& object = *operation.object;
  state.objects.set_evicted(object);
  if (operation.verb != Verb::LoadObject && object.saved.current()) return;
  state.observer.lost(object.principal.user, number_of(object.virtual_handle), code);
  state.objects.erase(object);
}

}  // namespace

proto::Buffer command_of(const Operation& operation) {
  switch (operation.verb) {
    case Verb::LoadObject:
      return tpm::build::context_load(operation.object->saved.context());
    case Verb::SaveObject:
      return tpm::build::context_save(number_of(*operation.object->physical));
    case Verb::FlushObject:
      return tpm::build::flush_context(number_of(*operation.object->physical));
    case Verb::LoadSession:
      return tpm::build::context_load(operation.session->saved.context());
    case Verb::SaveSession:
      return tpm::build::context_save(number_of(operation.session->handle));
    case Verb::FlushSession:
      return tpm::build::flush_context(number_of(operation.session->handle));
    case Verb::FlushStray:
      break;
  }
  return tpm::build::flush_context(number_of(operation.stray));
}

bool apply(State& state, const Operation& operation, const tpm::ResponseView& response) {
  switch (operation.verb) {
    case Verb::LoadObject:
      return loaded_object(state, *operation.object, response.handle);
    case Verb::SaveObject:
      return saved_object(state, *operation.object, response.parameters);
    case Verb::LoadSession:
      return loaded_session(state, *operation.session, response.handle);
    case Verb::SaveSession:
      return saved_session(state, *operation.session, response.parameters);
    case Verb::FlushObject:
      state.objects.set_evicted(*operation.object);
      ++state.statistics.object_flushes;
      return true;
    case Verb::FlushSession:
      state.sessions.erase(*operation.session);
      ++state.statistics.session_flushes;
      return true;
    case Verb::FlushStray:
      forget_stray(state, operation.stray);
      return true;
  }
  return false;
}

bool apply_failure(State& state, const Operation& operation, std::uint32_t code) {
  if (operation.verb == Verb::FlushStray) {
    forget_stray(state, operation.stray);
    return true;
  }
  if (!says_missing(code)) return false;
  if (operation.object != nullptr) {
    lose(state, operation, code);
    return true;
  }
  if (operation.verb != Verb::FlushSession) {
    state.observer.lost(operation.session->principal.user, number_of(operation.session->handle),
                        code);
  }
  state.sessions.erase(*operation.session);
  return true;
}

}  // namespace tbs::rm
