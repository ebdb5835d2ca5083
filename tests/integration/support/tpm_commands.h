#pragma once

// TPM 2.0 commands as bytes, and readers for their responses (TPM 2.0 Library, Part 3).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"

namespace tbs::test::tpm {

using proto::Buffer;
using proto::Bytes;

inline constexpr std::uint32_t kSuccess = TPM2_RC_SUCCESS;
inline constexpr std::uint32_t kTransientFirst = TPM2_TRANSIENT_FIRST;
inline constexpr std::uint32_t kPropertyStartupClear = TPM2_PT_STARTUP_CLEAR;
inline constexpr std::uint32_t kOrderly = TPMA_STARTUP_CLEAR_ORDERLY;
// TPM_PCR of the debug register: any locality may extend and reset it.
inline constexpr std::uint32_t kDebugPcr = 16;

Buffer get_random(std::uint16_t count);
// Runs every self-test again: a command without handles that keeps the TPM busy.
Buffer self_test();
Buffer get_handles(std::uint32_t first);
Buffer get_property(std::uint32_t property);
Buffer flush_context(std::uint32_t handle);
Buffer read_public(std::uint32_t handle);

// Storage keys from a template that is used once, so that the TPM has to generate each of them.
Buffer create_primary_ecc();
Buffer create_primary_rsa(std::uint16_t bits);

Buffer pcr_extend(std::uint32_t pcr, const Buffer& sha256);
Buffer pcr_read(std::uint32_t pcr);
Buffer hash(const Buffer& data);

Buffer nv_define(std::uint32_t index, std::uint16_t size);
// Of the platform's own hierarchy left alone: by the lockout authorization, which is empty.
Buffer clear();

// How many failed authorizations the TPM allows, and after how many seconds it forgets one; by the
// lockout authorization, which is empty.
Buffer dictionary_attack_parameters(std::uint32_t failures, std::uint32_t recovery,
                                    std::uint32_t lockout_recovery);

// Sets the counter of failed authorizations back, in the same way.
Buffer dictionary_attack_lock_reset();

// A session that is neither salted nor encrypts.
Buffer start_auth_session(std::uint8_t type, std::uint32_t bind = TPM2_RH_NULL);
Buffer policy_secret(std::uint32_t entity, std::uint32_t session, const std::string& password);

// An index that is read and written with its own password, and guarded against guessing.
Buffer nv_define_with_password(std::uint32_t index, std::uint16_t size,
                               const std::string& password);
// By the index's own authorization, with this password.
Buffer nv_read_as_index(std::uint32_t index, std::uint16_t size, const std::string& password = {});
Buffer nv_write(std::uint32_t index, const Buffer& data);
Buffer nv_read(std::uint32_t index, std::uint16_t size);

// Makes a loaded object persistent, or removes a persistent one when both handles are the same.
Buffer evict_control(std::uint32_t object, std::uint32_t persistent);
// Which PCRs may be reset depends on the locality.
Buffer pcr_reset(std::uint32_t pcr);

Buffer hash_sequence_start();
Buffer sequence_update(std::uint32_t sequence, const Buffer& data);
Buffer sequence_complete(std::uint32_t sequence);

// The response code; nothing when the bytes are no response.
std::optional<std::uint32_t> code(Bytes response);
// First handle of a response that has one.
std::uint32_t handle(Bytes response);
std::vector<std::uint32_t> handles(Bytes response);
std::uint32_t property(Bytes response);
// The TPM2B that a response without sessions starts with: GetRandom, Hash.
Buffer sized_bytes(Bytes response);
Buffer nv_data(Bytes response);
Buffer sequence_result(Bytes response);
// The one digest of a PCR_Read.
Buffer pcr_value(Bytes response);

}  // namespace tbs::test::tpm
