#pragma once

// One transient object or sequence of a client.

#include <cstdint>
#include <optional>

#include "daemon/base/ids.h"
#include "daemon/exec/handles.h"
#include "daemon/exec/saved_state.h"
#include "proto/byte_writer.h"

namespace tbs::rm {

struct Object {
  ContextId owner{};
  Principal principal{};
  // What the client calls it.
  exec::VirtualHandle virtual_handle{};
  // What the TPM calls it; empty while it is not loaded.
  std::optional<exec::PhysicalHandle> physical;
  // A sequence changes with every use, and its saved context is good only until it is loaded again.
  // An ordinary object never changes: saved once, it can be flushed and loaded for ever.
  bool sequence = false;
  // With the TPMS_CONTEXT that loads it.
  exec::SavedState saved{sequence};
  // Of `saved`; 0 while unknown.
  std::uint32_t hierarchy = 0;
  // The TPM's response to TPM2_ReadPublic; empty until somebody asked.
  proto::Buffer public_response;
  std::uint64_t last_used = 0;
  // The client wants it to stay on the TPM. Changed by ObjectTable::set_sticky().
  bool sticky = false;

  [[nodiscard]] bool loaded() const { return physical.has_value(); }
  // Nothing can bring it back: the TPM used its handle for another object.
  [[nodiscard]] bool lost() const { return !loaded() && !saved.current(); }
  [[nodiscard]] bool must_be_saved() const { return !saved.current(); }

  // All but whose it is.
  template <typename Record>
  void fields(Record& record) {
    record(sequence);
    if constexpr (Record::kReads) saved = exec::SavedState(sequence);
    record(virtual_handle, physical, saved, hierarchy, public_response, last_used, sticky);
  }
};

}  // namespace tbs::rm
