#pragma once

// One step that moves a single object or session in or out of the TPM: the command for it, and
// what its success means for the tables. All executions are made of these, the client's own
// command aside.

#include <cstdint>

#include "daemon/rm/object.h"
#include "daemon/rm/session_table.h"
#include "daemon/rm/state.h"
#include "daemon/tpm/response_view.h"
#include "proto/byte_writer.h"

namespace tbs::rm {

enum class Verb : std::uint8_t {
  LoadObject,
  SaveObject,
  FlushObject,  // it stays in the table, evicted
  LoadSession,
  SaveSession,   // the TPM takes it out by that
  FlushSession,  // it is gone for good
  FlushStray,
};

struct Operation {
  Verb verb = Verb::FlushStray;
  Object* object = nullptr;
  Session* session = nullptr;
  exec::PhysicalHandle stray{};
};

inline Operation load(Object& object) {
  return {.verb = Verb::LoadObject, .object = &object};
}
inline Operation save(Object& object) {
  return {.verb = Verb::SaveObject, .object = &object};
}
inline Operation flush(Object& object) {
  return {.verb = Verb::FlushObject, .object = &object};
}
inline Operation load(Session& session) {
  return {.verb = Verb::LoadSession, .session = &session};
}
inline Operation save(Session& session) {
  return {.verb = Verb::SaveSession, .session = &session};
}
inline Operation flush(Session& session) {
  return {.verb = Verb::FlushSession, .session = &session};
}
inline Operation flush_stray(exec::PhysicalHandle handle) {
  return {.verb = Verb::FlushStray, .stray = handle};
}

constexpr bool returns_handle(const Operation& operation) {
  return operation.verb == Verb::LoadObject || operation.verb == Verb::LoadSession;
}

proto::Buffer command_of(const Operation& operation);

// The operation has succeeded with this response. False when the response makes no sense.
bool apply(State& state, const Operation& operation, const tpm::ResponseView& response);

// The operation has failed with `code`. When the code says that the object or session does not
// exist (or, to a load, that its blob is not valid any more), the tables are put right: it is
// evicted, erased, or no stray any more, and the observer hears of what a client has lost. Returns
// whether that was so. What the operation points to may be destroyed by it.
bool apply_failure(State& state, const Operation& operation, std::uint32_t code);

}  // namespace tbs::rm
