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
Bytes start_hash();
Bytes update(std::uint32_t sequence, std::uint8_t byte);
Bytes complete(std::uint32_t sequence);
Bytes start_policy();
Bytes policy_command_code(std::uint32_t session, std::uint32_t code);
Bytes policy_digest(std::uint32_t session);

}  // namespace tbs::test::command
