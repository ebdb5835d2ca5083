#pragma once

// What TPM_SaveContext returns (Part 2, "TPM_CONTEXT_BLOB"): the part of it that is not the TPM's
// own business.

#include <cstdint>
#include <optional>

#include "proto/byte_reader.h"

namespace tbs::tpm12 {

struct ContextBlob {
  std::uint32_t resource_type = 0;
  std::uint32_t handle = 0;  // that the resource had
  std::uint32_t count = 0;   // which entry of the TPM's list of saved sessions; 0 for keys
};

// `blob` is a whole TPM_CONTEXT_BLOB.
std::optional<ContextBlob> parse_context_blob(proto::Bytes blob);

// Bytes behind their own size, as responses and commands carry them; empty when the size is wrong.
std::optional<proto::Bytes> parse_sized(proto::Bytes bytes);

}  // namespace tbs::tpm12
