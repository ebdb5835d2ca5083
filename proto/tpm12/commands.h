#pragma once

// TPM 1.2 commands that the project sends itself. None needs authorization.

#include <cstdint>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm12/constants.h"

namespace tbs::tpm12::build {

proto::Buffer save_context(Kind kind, std::uint32_t handle);
// `entity` is the key (counter, NV index, ...) that an OSAP or DSAP session belongs to. The TPM
// chooses the handle.
proto::Buffer load_context(std::uint32_t entity, proto::Bytes blob);
proto::Buffer flush_specific(std::uint32_t handle, std::uint32_t resource_type);
proto::Buffer get_capability(std::uint32_t area, std::uint32_t sub);
proto::Buffer startup_clear();
proto::Buffer save_state();
proto::Buffer continue_self_test();
proto::Buffer pcr_read(std::uint32_t pcr);
// `digest` has 20 bytes.
proto::Buffer extend(std::uint32_t pcr, proto::Bytes digest);

}  // namespace tbs::tpm12::build
