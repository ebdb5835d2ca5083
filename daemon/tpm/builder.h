#pragma once

// The commands that the daemon sends for itself. Each function returns the complete bytes of one
// TPM 2.0 command without sessions. Source: TPM 2.0 Library, Part 3.

#include <cstdint>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::tpm::build {

proto::Buffer startup(std::uint16_t type);
proto::Buffer shutdown(std::uint16_t type);
proto::Buffer read_clock();
proto::Buffer get_capability(std::uint32_t capability, std::uint32_t property, std::uint32_t count);
proto::Buffer context_save(std::uint32_t handle);
// `context` is a whole TPMS_CONTEXT, as TPM2_ContextSave returned it.
proto::Buffer context_load(proto::Bytes context);
proto::Buffer flush_context(std::uint32_t handle);

}  // namespace tbs::tpm::build
