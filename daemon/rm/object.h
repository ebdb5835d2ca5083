#pragma once

// One transient object or sequence of a client.

#include <cstdint>

#include "daemon/base/ids.h"
#include "proto/byte_writer.h"

namespace tbs::rm {

struct Object {
  ContextId owner{};
  UserId user{};
  // What the client calls it.
  std::uint32_t virtual_handle = 0;
  // What the TPM calls it; 0 while it is not loaded.
  std::uint32_t physical = 0;
  // A sequence changes with every use, so its saved context is good only until it is loaded again.
  // An ordinary object never changes: saved once, it can be flushed and loaded for ever.
  bool sequence = false;
  // The TPMS_CONTEXT that loads it; empty while there is none.
  proto::Buffer saved;
  // Of `saved`; 0 while unknown.
  std::uint32_t hierarchy = 0;
  // The TPM's response to TPM2_ReadPublic; empty until somebody asked.
  proto::Buffer public_response;
  std::uint64_t last_used = 0;
  // The client wants it to stay on the TPM. Changed by ObjectTable::set_sticky().
  bool sticky = false;

  [[nodiscard]] bool loaded() const { return physical != 0; }
  // Nothing can bring it back: the TPM used its handle for another object.
  [[nodiscard]] bool lost() const { return !loaded() && saved.empty(); }
  [[nodiscard]] bool must_be_saved() const { return saved.empty(); }
};

}  // namespace tbs::rm
