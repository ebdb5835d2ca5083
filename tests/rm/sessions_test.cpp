#include <array>

#include "daemon/tpm/command_view.h"
#include "daemon/tpm/response_code.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "tests/rm/fixture.h"
#include "tests/rm/response_fields.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;

TEST_CASE("HMAC sessions authorize many commands through evictions", "[rm]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  std::array<ESYS_TR, 6> sessions{};
  for (auto& session : sessions) session = client->start_session(TPM2_SE_HMAC);
  const ESYS_TR key = client->create_primary(1);
  for (int round = 0; round < 3; ++round) {
    for (const ESYS_TR session : sessions) REQUIRE(client->sign(key, session));
  }
  REQUIRE(client->handles(TPM2_LOADED_SESSION_FIRST).size() == sessions.size());
  REQUIRE(client->handles(TPM2_ACTIVE_SESSION_FIRST).empty());
  for (const ESYS_TR session : sessions) REQUIRE(client->flush(session));
  REQUIRE(client->handles(TPM2_LOADED_SESSION_FIRST).empty());
  REQUIRE(tpm.bench.notes.differences.empty());
}

TEST_CASE("a session and a key that fit cost one TPM command per client command", "[rm]") {
  RealTpm tpm{exec::Options{}};
  const auto client = tpm.connect();
  const ESYS_TR session = client->start_session(TPM2_SE_HMAC);
  const ESYS_TR key = client->create_primary(1);
  REQUIRE(client->sign(key, session));
  tpm.bench.sent.clear();
  for (int i = 0; i < 20; ++i) REQUIRE(client->sign(key, session));
  REQUIRE(tpm.bench.sent.size() == 20);
}

TEST_CASE("policy sessions keep their digest through evictions", "[rm]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  std::array<ESYS_TR, 5> sessions{};
  for (auto& session : sessions) session = client->start_session(TPM2_SE_TRIAL);
  for (const ESYS_TR session : sessions) {
    REQUIRE(client->check(Esys_PolicyCommandCode(client->get(), session, ESYS_TR_NONE, ESYS_TR_NONE,
                                                 ESYS_TR_NONE, TPM2_CC_Sign)));
  }
  for (const ESYS_TR session : sessions) {
    TPM2B_DIGEST* digest = nullptr;
    REQUIRE(client->check(Esys_PolicyGetDigest(client->get(), session, ESYS_TR_NONE, ESYS_TR_NONE,
                                               ESYS_TR_NONE, &digest)));
    CHECK(digest->buffer[0] == 0xCC);
    CHECK(digest->buffer[1] == 0x69);
    Esys_Free(digest);
  }
  REQUIRE(tpm.bench.notes.differences.empty());
}

TEST_CASE("a session without continueSession is gone after its use", "[rm]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const ESYS_TR key = client->create_primary(1);
  const ESYS_TR session = client->start_session(TPM2_SE_HMAC, 0);
  REQUIRE(client->handles(TPM2_LOADED_SESSION_FIRST).size() == 1);
  REQUIRE(client->sign(key, session));
  REQUIRE(client->handles(TPM2_LOADED_SESSION_FIRST).empty());
  REQUIRE(tpm.bench.notes.differences.empty());
}

TEST_CASE("nobody uses, saves or flushes the session of another", "[rm]") {
  RealTpm tpm;
  const auto alice = tpm.connect(kAlice);
  const auto bob = tpm.connect(kBob);
  const ESYS_TR session = alice->start_session(TPM2_SE_POLICY);
  const TPM2_HANDLE handle = alice->tpm_handle(session);
  const auto commands = [](TPM2_HANDLE about) {
    return std::array{tpm::build::flush_context(about), tpm::build::context_save(about),
                      tpm::CommandBuilder(TPM2_CC_PolicyRestart).handle(about).finish()};
  };
  // There is none of this number.
  const auto nobodys = commands(TPM2_POLICY_SESSION_FIRST + 0x33);
  const auto hers = commands(handle);
  for (std::size_t i = 0; i < hers.size(); ++i) {
    const auto refused = tpm.bench.submit(bob->id, hers[i]);
    CHECK(refused == tpm.bench.submit(bob->id, nobodys[i]));
    CHECK((code_of(refused) & TSS2_RC_LAYER_MASK) == tpm::rc::kResourceManagerLayer);
  }
  CHECK(bob->handles(TPM2_LOADED_SESSION_FIRST).empty());
  REQUIRE(code_of(tpm.bench.submit(alice->id, hers.back())) == tpm::rc::kSuccess);
  REQUIRE(alice->flush(session));
  REQUIRE(tpm.bench.notes.differences.empty());
}

TEST_CASE("a saved session is handed over within one user", "[rm]") {
  RealTpm tpm;
  const auto first = tpm.connect();
  const ESYS_TR session = first->start_session(TPM2_SE_HMAC);
  auto blob = first->save(session);
  REQUIRE(blob != nullptr);
  CHECK(first->handles(TPM2_ACTIVE_SESSION_FIRST).size() == 1);
  CHECK(first->handles(TPM2_LOADED_SESSION_FIRST).empty());

  SECTION("while the first is open") {}
  SECTION("after the first has closed") {
    tpm.disconnect(*first);
  }

  const auto bob = tpm.connect(kBob);
  CHECK(bob->load(*blob) == ESYS_TR_NONE);
  CHECK(bob->fault() == tpm::by_resource_manager(tpm::at_parameter(tpm::rc::kHandle, 1)));
  CHECK(bob->handles(TPM2_ACTIVE_SESSION_FIRST).empty());

  const auto second = tpm.connect();
  const ESYS_TR loaded = second->load(*blob);
  REQUIRE(loaded != ESYS_TR_NONE);
  REQUIRE(second->sign(second->create_primary(1), loaded));
  // A blob is good for one load.
  REQUIRE(second->load(*blob) == ESYS_TR_NONE);
  CHECK(second->fault() == tpm::by_resource_manager(tpm::at_parameter(tpm::rc::kHandle, 1)));
  // ... and the next one for the next.
  const auto third = tpm.connect();
  blob = second->save(loaded);
  REQUIRE(blob != nullptr);
  REQUIRE(third->load(*blob) != ESYS_TR_NONE);
  REQUIRE(tpm.bench.notes.differences.empty());
}

TEST_CASE("orphans are counted per user, and the oldest goes first", "[rm]") {
  exec::Options options = verified();
  options.limits.orphans_per_user = 4;
  RealTpm tpm(options);
  std::vector<std::unique_ptr<TPMS_CONTEXT>> blobs;
  for (int i = 0; i < 5; ++i) {
    const auto client = tpm.connect();
    blobs.push_back(client->save(client->start_session(TPM2_SE_HMAC)));
    tpm.disconnect(*client);
  }
  const auto client = tpm.connect();
  CHECK(client->handles(TPM2_ACTIVE_SESSION_FIRST).size() == 4);
  CHECK(client->load(*blobs[0]) == ESYS_TR_NONE);
  for (std::size_t i = 1; i < blobs.size(); ++i) CHECK(client->load(*blobs[i]) != ESYS_TR_NONE);
  CHECK(tpm.bench.notes.dropped_sessions.size() == 1);
  REQUIRE(tpm.bench.notes.differences.empty());
}

TEST_CASE("orphans expire", "[rm]") {
  RealTpm tpm;
  const auto first = tpm.connect();
  const auto blob = first->save(first->start_session(TPM2_SE_HMAC));
  tpm.disconnect(*first);
  tpm.bench.run_due();
  REQUIRE(tpm.bench.manager.next_maintenance().has_value());
  tpm.bench.now += std::chrono::hours(1);
  const auto second = tpm.connect();
  CHECK(second->load(*blob) == ESYS_TR_NONE);
  CHECK_FALSE(tpm.bench.manager.next_maintenance().has_value());
  CHECK(second->handles(TPM2_ACTIVE_SESSION_FIRST).empty());
  REQUIRE(tpm.bench.notes.differences.empty());
}

TEST_CASE("an orphan expires also when nobody does anything", "[rm]") {
  exec::Options options = verified();
  options.limits.orphan_lifetime = std::chrono::minutes(10);
  RealTpm tpm(options);
  REQUIRE_FALSE(tpm.bench.manager.next_maintenance().has_value());
  for (int i = 0; i < 2; ++i) {
    const auto client = tpm.connect();
    client->save(client->start_session(TPM2_SE_HMAC));
    tpm.disconnect(*client);
    tpm.bench.now += std::chrono::minutes(3);
  }
  while (const auto due = tpm.bench.manager.next_maintenance()) {
    REQUIRE(*due > tpm.bench.now);
    tpm.bench.now = *due;
    tpm.bench.run_due();
  }
  CHECK(tpm.bench.now == TimePoint{} + std::chrono::minutes(13));
  CHECK(tpm.bench.notes.dropped_sessions.size() == 2);
}

TEST_CASE("an orphan that the TPM does not let go is not tried for ever", "[rm]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  client->save(client->start_session(TPM2_SE_HMAC));
  tpm.disconnect(*client);
  tpm.bench.now += std::chrono::hours(1);
  tpm.intercept = [](std::span<const std::uint8_t> command) -> std::optional<RmBench::Bytes> {
    if (tpm::command_code_of(command) != tpm::cc::kFlushContext) return std::nullopt;
    return tpm::bare_response(tpm::rc::kObjectMemory);
  };
  tpm.bench.run_due();
  CHECK_FALSE(tpm.bench.manager.next_maintenance().has_value());
}

TEST_CASE("a context has a limit of sessions", "[rm]") {
  exec::Options options = verified();
  options.limits.sessions_per_context = 4;
  RealTpm tpm(options);
  const auto client = tpm.connect();
  for (int i = 0; i < 4; ++i) REQUIRE(client->start_session(TPM2_SE_HMAC) != ESYS_TR_NONE);
  REQUIRE(client->start_session(TPM2_SE_HMAC) == ESYS_TR_NONE);
  CHECK(client->fault() == tpm::by_resource_manager(tpm::rc::kSessionMemory));
}

TEST_CASE("the active sessions are shared between users", "[rm]") {
  exec::Options options = verified();
  options.limits.sessions_per_context = 64;
  options.limits.sessions_per_user = 64;
  RealTpm tpm(options);
  const auto alice = tpm.connect(kAlice);
  for (int i = 0; i < 64; ++i) REQUIRE(alice->start_session(TPM2_SE_HMAC) != ESYS_TR_NONE);
  // She holds all: nobody else pays for her next one.
  REQUIRE(alice->start_session(TPM2_SE_HMAC) == ESYS_TR_NONE);
  const auto bob = tpm.connect(kBob);
  for (int i = 0; i < 32; ++i) REQUIRE(bob->start_session(TPM2_SE_HMAC) != ESYS_TR_NONE);
  REQUIRE(bob->start_session(TPM2_SE_HMAC) == ESYS_TR_NONE);
  CHECK(tpm.bench.manager.holdings(alice->id).sessions == 32);
  CHECK(tpm.bench.notes.dropped_sessions.size() == 32);
  REQUIRE(tpm.bench.notes.differences.empty());
}
