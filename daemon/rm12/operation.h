#pragma once

// One step that moves a single key or session in or out of the TPM: the command for it, and what
// its outcome means for the tables. All executions are made of these, the client's own command
// aside.

#include <cstdint>

#include "daemon/rm12/state.h"
#include "daemon/tpm12/response.h"

namespace tbs::rm12 {

enum class Verb : std::uint8_t {
  Load,   // a bound session's key must be loaded
  Save,   // takes a session out of the TPM, and leaves a key in it
  Flush,  // of a key: it stays in the table, evicted
  FlushStray,
};

struct Operation {
  Verb verb = Verb::FlushStray;
  Resource* resource = nullptr;
  Stray stray;
};

inline Operation load(Resource& resource) {
  return {.verb = Verb::Load, .resource = &resource, .stray = {}};
}
inline Operation save(Resource& resource) {
  return {.verb = Verb::Save, .resource = &resource, .stray = {}};
}
inline Operation flush(Resource& key) {
  return {.verb = Verb::Flush, .resource = &key, .stray = {}};
}
inline Operation flush(const Stray& stray) {
  return {.verb = Verb::FlushStray, .resource = nullptr, .stray = stray};
}

proto::Buffer command_of(const Operation& operation);

// The operation has succeeded with this response. False when the response makes no sense.
bool apply(State& state, const Operation& operation, const tpm12::ResponseView& response);

// The operation has failed with `code`. When the code says that the resource does not exist (or, to
// a load, that its blob is not valid any more), the tables are put right and the observer hears of
// what a client has lost. Returns whether that was so; then what the operation points to may be
// destroyed.
bool apply_failure(State& state, const Operation& operation, std::uint32_t code);

}  // namespace tbs::rm12
