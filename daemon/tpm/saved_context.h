#pragma once

// A look into a TPMS_CONTEXT, which TPM2_ContextSave returns and TPM2_ContextLoad takes. The
// protected part stays opaque; what surrounds it says what was saved and in which order.
// Source: TPM 2.0 Library, Part 2, "TPMS_CONTEXT".

#include <cstdint>
#include <optional>

#include "proto/byte_reader.h"

namespace tbs::tpm {

struct SavedContext {
  // Of sessions: the value of the TPM's context counter when it was saved.
  std::uint64_t sequence = 0;
  // The session's own handle, or which kind of object it is (kSavedObject and the like).
  std::uint32_t handle = 0;
  std::uint32_t hierarchy = 0;
  // The structure itself, without whatever followed it: some callers pad it.
  proto::Bytes bytes;
};

std::optional<SavedContext> parse_saved_context(proto::Bytes bytes);

}  // namespace tbs::tpm
