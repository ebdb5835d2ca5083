#include "daemon/policy/lockout_authorization.h"

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"
#include "tests/support/server_bench.h"

using namespace tbs;

namespace {

constexpr std::uint32_t kKey = 0x80000000;
constexpr std::uint32_t kHmacSession = 0x02000000;
constexpr std::uint32_t kUnboundSession = 0x02000001;

// Create, CreatePrimary, PCR_Extend, EvictControl, Certify.
tpm::CommandTable table() {
  tpm::CommandTable commands;
  const std::vector<std::uint32_t> attributes = {
      0x153 | 1U << 25, 0x131 | 1U << 25, 0x182 | 1U << 25, 0x120 | 2U << 25, 0x148 | 2U << 25};
  commands.load(attributes);
  return commands;
}

SharedCommand starting(std::uint32_t bind) {
  return test::client_command({.bytes = test::tpm_message(0x176, {tpm::kRhNull, bind})});
}

proto::Buffer started(std::uint32_t session, std::uint32_t code = 0) {
  return test::tpm_message(code, {session});
}

// Handles, and an empty password or a session for each of `sessions`.
bool harmless(std::uint32_t code, const std::vector<std::uint32_t>& handles,
              const std::vector<std::uint32_t>& sessions, Family family = Family::Tpm20) {
  proto::Buffer body;
  proto::ByteWriter writer(body);
  for (const std::uint32_t handle : handles) writer.be32(handle);
  writer.be32(static_cast<std::uint32_t>(sessions.size() * 9));
  for (const std::uint32_t session : sessions) {
    writer.be32(session);
    writer.be16(0);
    writer.u8(0);
    writer.be16(0);
  }
  proto::Buffer bytes;
  proto::ByteWriter whole(bytes);
  whole.be16(tpm::kTagSessions);
  whole.be32(static_cast<std::uint32_t>(tpm::kHeaderSize + body.size()));
  whole.be32(code);
  bytes.insert(bytes.end(), body.begin(), body.end());
  const auto command = test::client_command({.family = family, .bytes = bytes});
  REQUIRE(command != nullptr);
  policy::UnboundSessions unbound;
  unbound.note(*starting(tpm::kRhNull), started(kUnboundSession));
  unbound.note(*starting(tpm::kRhNull), started(kHmacSession));
  unbound.note(*starting(kKey), started(kHmacSession));  // the number comes again
  return policy::raises_no_counter(*command, table(), unbound);
}

}  // namespace

TEST_CASE("passwords of hierarchies and PCRs are not counted by a TPM", "[policy][lockout]") {
  constexpr std::uint32_t kPassword = tpm::kPasswordSession;
  for (const std::uint32_t handle :
       {tpm::kRhOwner, tpm::kRhEndorsement, tpm::kRhPlatform, tpm::kRhNull}) {
    CHECK(harmless(0x131, {handle}, {kPassword}));
  }
  CHECK(harmless(0x182, {16}, {kPassword}));
  // The second handle is what it is about, and needs no authorization.
  CHECK(harmless(0x120, {tpm::kRhOwner, kKey}, {kPassword}));
  CHECK_FALSE(harmless(0x131, {tpm::kRhLockout}, {kPassword}));
  CHECK_FALSE(harmless(0x153, {kKey}, {kPassword}));
  CHECK_FALSE(harmless(0x148, {tpm::kRhOwner, kKey}, {kPassword, kPassword}));
  CHECK(harmless(0x131, {tpm::kRhOwner}, {kUnboundSession}));
  CHECK_FALSE(harmless(0x153, {kKey}, {kUnboundSession}));
  // A session may be bound to something that is protected, and there may be one too many.
  CHECK_FALSE(harmless(0x131, {tpm::kRhOwner}, {kHmacSession}));
  CHECK_FALSE(harmless(0x131, {tpm::kRhOwner}, {kPassword, kHmacSession}));
  // What is not understood may do anything.
  CHECK_FALSE(harmless(0x199, {tpm::kRhOwner}, {kPassword}));
  CHECK_FALSE(harmless(0x131, {}, {}));
  CHECK_FALSE(harmless(0x131, {tpm::kRhOwner}, {kPassword}, Family::Tpm12));
}

TEST_CASE("only what a TPM has started is a session", "[policy][lockout]") {
  policy::UnboundSessions unbound;
  unbound.note(*starting(tpm::kRhNull), started(kUnboundSession, 0x903));
  unbound.note(*starting(tpm::kRhNull), {});
  unbound.note(*starting(tpm::kRhNull), test::tpm_message(0));
  unbound.note(*test::client_command({}), started(kUnboundSession));
  CHECK_FALSE(unbound.contains(kUnboundSession));
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    unbound.note(*starting(tpm::kRhNull), started(kHmacSession + i));
    REQUIRE(unbound.contains(kHmacSession + i));
  }
}
