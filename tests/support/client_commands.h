#pragma once

// Client commands as plain bytes, for tests that compare or replay them.

#include <cstdint>
#include <span>
#include <vector>

namespace tbs::test::command {

using Bytes = std::vector<std::uint8_t>;

// A P-256 signing key without authorization; `variant` makes keys different.
Bytes create_primary(std::uint32_t hierarchy, std::uint8_t variant);
Bytes sign(std::uint32_t key);
Bytes read_public(std::uint32_t handle);
// An HMAC key of SHA-256 with these bytes, without authorization, for TPM2_LoadExternal.
Bytes load_hmac_key(std::span<const std::uint8_t> key);
Bytes start_hash();
Bytes start_hmac(std::uint32_t key);
// TPM2_HashSequenceStart of TPM_ALG_NULL: an event sequence.
Bytes start_event();
Bytes update(std::uint32_t sequence, std::uint8_t byte);
Bytes update(std::uint32_t sequence, std::span<const std::uint8_t> bytes);
// With a wrong authorization: refused when the TPM has looked at it.
Bytes update_unauthorized(std::uint32_t sequence, std::uint8_t byte);
// TPM2_EventSequenceComplete without a PCR to extend; of a hash sequence it fails.
Bytes complete_event(std::uint32_t sequence);
Bytes complete(std::uint32_t sequence);
Bytes start_policy();
Bytes policy_command_code(std::uint32_t session, std::uint32_t code);
Bytes policy_digest(std::uint32_t session);

}  // namespace tbs::test::command
