#pragma once

// TPM 2.0 commands that the project sends itself: each function returns the bytes of a whole one.
// Where a command needs an authorization, it is an empty password unless the function says
// otherwise. Source: TPM 2.0 Library, Part 3.

#include <cstdint>

#include <tss2/tss2_tpm2_types.h>

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
proto::Buffer get_random(std::uint16_t count);
proto::Buffer read_public(std::uint32_t handle);
proto::Buffer self_test();

// By lockoutAuth. The TPM locks out at `failures`, and forgets one every `interval` seconds; after
// a wrong lockoutAuth it takes none for `recovery` seconds.
proto::Buffer dictionary_attack_parameters(std::uint32_t failures, std::uint32_t interval,
                                           std::uint32_t recovery);

// By the authorization of the index itself.
proto::Buffer nv_read_public(std::uint32_t index);
proto::Buffer nv_read(std::uint32_t index, std::uint16_t size);

proto::Buffer pcr_read(const TPML_PCR_SELECTION& selection);
// Extends every bank of the PCR by the digest of `event`, which is at most 1024 bytes.
proto::Buffer pcr_event(std::uint32_t pcr, proto::Bytes event);

// A primary key of this kind, with `auth_value`, which is at most 64 bytes.
proto::Buffer create_primary(std::uint32_t hierarchy, const TPMT_PUBLIC& kind,
                             proto::Bytes auth_value = {});

}  // namespace tbs::tpm::build
