#pragma once

// Clients of other users, and what the TPM says to a client's commands. For tests that run as root.

#include <cstdint>

#include <sys/types.h>

#include "tests/integration/support/other_user.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

namespace tbs::test {

inline RawClient context_of(TestBench& bench, uid_t user) {
  const ConnectingAs other(user);
  return bench.context();
}

// The response code to a command that must get a response.
inline std::uint32_t code(RawClient& client, const proto::Buffer& command) {
  const Answer answer = client.call(command);
  REQUIRE(answer.status == proto::Status::Success);
  return tpm::code(answer.response).value();
}

}  // namespace tbs::test
