// The life of a session within one connection.

#include "tests/integration/client_cases/case.h"
#include "tests/support/catch2.h"

namespace tbs::test {
namespace {

// GetCapability takes the handle types of sessions for their state: HMAC means loaded, policy
// saved.
void check_lists(const TssClient& client, std::size_t loaded, std::size_t saved) {
  CHECK(client.handles(TPM2_LOADED_SESSION_FIRST).size() == loaded);
  CHECK(client.handles(TPM2_ACTIVE_SESSION_FIRST).size() == saved);
}

TPM2_HANDLE started(const TssClient& client) {
  TPM2_HANDLE session = 0;
  REQUIRE(client.start_session(TPM2_SE_POLICY, session) == TSS2_RC_SUCCESS);
  return session;
}

}  // namespace

void session_start_flush(TestBench& bench) {
  const TssClient client(bench.socket());
  for (const TPM2_SE type : {TPM2_SE_HMAC, TPM2_SE_POLICY, TPM2_SE_TRIAL}) {
    TPM2_HANDLE session = 0;
    REQUIRE(client.start_session(type, session) == TSS2_RC_SUCCESS);
    CHECK(client.flush(session) == TSS2_RC_SUCCESS);
    CHECK(client.flush(session) == kUnknown);
  }
}

void session_start_save(TestBench& bench) {
  {
    const TssClient client(bench.socket());
    const TPM2_HANDLE session = started(client);
    TPMS_CONTEXT saved;
    CHECK(client.save(session, saved) == TSS2_RC_SUCCESS);
    // Saved is not loaded: it cannot be saved again.
    CHECK(client.save(session, saved) != TSS2_RC_SUCCESS);
  }
  REQUIRE(eventually([&bench] { return bench.contexts().empty(); }));
  // It stays as an orphan, which is no burden: another program of the user lists and flushes it.
  const TssClient next(bench.socket());
  const auto orphans = next.handles(TPM2_ACTIVE_SESSION_FIRST);
  REQUIRE(orphans.size() == 1);
  CHECK(next.flush(orphans.front()) == TSS2_RC_SUCCESS);
  check_lists(next, 0, 0);
}

void session_start_save_load(TestBench& bench) {
  const TssClient client(bench.socket());
  const TPM2_HANDLE session = started(client);
  for (int round = 0; round < 5; ++round) {
    TPMS_CONTEXT saved;
    REQUIRE(client.save(session, saved) == TSS2_RC_SUCCESS);
    TPM2_HANDLE loaded = 0;
    REQUIRE(client.load(saved, loaded) == TSS2_RC_SUCCESS);
    CHECK(loaded == session);
    // A saved session can be loaded once.
    CHECK(client.load(saved, loaded) == kUnknown);
  }
  CHECK(client.flush(session) == TSS2_RC_SUCCESS);
}

void session_lists(TestBench& bench) {
  const TssClient client(bench.socket());
  check_lists(client, 0, 0);
  const TPM2_HANDLE session = started(client);
  check_lists(client, 1, 0);
  TPMS_CONTEXT saved;
  REQUIRE(client.save(session, saved) == TSS2_RC_SUCCESS);
  check_lists(client, 0, 1);
  TPM2_HANDLE loaded = 0;
  REQUIRE(client.load(saved, loaded) == TSS2_RC_SUCCESS);
  CHECK(loaded == session);
  check_lists(client, 1, 0);
  REQUIRE(client.flush(session) == TSS2_RC_SUCCESS);
  check_lists(client, 0, 0);
}

void session_limit(TestBench& bench) {
  const TssClient client(bench.socket());
  std::vector<TPM2_HANDLE> sessions;
  for (std::size_t i = 0; i < kSessionLimit; ++i) sessions.push_back(started(client));
  TPM2_HANDLE session = 0;
  CHECK(client.start_session(TPM2_SE_HMAC, session) == kNoSessionMemory);
  CHECK(client.handles(TPM2_LOADED_SESSION_FIRST).size() == kSessionLimit);
  // The limit is the context's, not everybody's.
  CHECK(TssClient(bench.socket()).start_session(TPM2_SE_HMAC, session) == TSS2_RC_SUCCESS);
  CHECK(client.flush(sessions.front()) == TSS2_RC_SUCCESS);
  CHECK(client.start_session(TPM2_SE_HMAC, session) == TSS2_RC_SUCCESS);
}

void session_gap(TestBench& bench) {
  constexpr UINT64 kSmallestGap = 255;
  const TssClient client(bench.socket());
  CHECK(client.property(TPM2_PT_CONTEXT_GAP_MAX) == UINT32_MAX);
  TPMS_CONTEXT first;
  REQUIRE(client.save(started(client), first) == TSS2_RC_SUCCESS);
  TPMS_CONTEXT last = first;
  while (last.sequence - first.sequence <= kSmallestGap) {
    const TPM2_HANDLE session = started(client);
    REQUIRE(client.save(session, last) == TSS2_RC_SUCCESS);
    REQUIRE(client.flush(session) == TSS2_RC_SUCCESS);
  }
  TPM2_HANDLE session = 0;
  CHECK(client.load(first, session) == TSS2_RC_SUCCESS);
  CHECK(client.flush(session) == TSS2_RC_SUCCESS);
}

void default_limits(TestBench& bench) {
  std::vector<TssClient> clients;
  for (std::size_t i = 0; i <= kConnectionLimit; ++i) clients.emplace_back(bench.socket());
  for (std::size_t i = 0; i <= kSessionLimit; ++i) started(clients.front());
  for (std::size_t i = 0; i <= kObjectLimit; ++i) {
    TPM2_HANDLE key = 0;
    REQUIRE(clients.front().create_primary(key) == TSS2_RC_SUCCESS);
  }
  std::vector<TPMS_CONTEXT> orphans(kOrphanLimit + 1);
  for (TPMS_CONTEXT& saved : orphans) {
    REQUIRE(clients.back().save(started(clients.back()), saved) == TSS2_RC_SUCCESS);
  }
  clients.pop_back();
  REQUIRE(eventually([&bench] { return bench.contexts().size() == kConnectionLimit; }));
  TPM2_HANDLE session = 0;
  for (const TPMS_CONTEXT& saved : orphans) {
    CHECK(clients.front().load(saved, session) == TSS2_RC_SUCCESS);
  }
}

}  // namespace tbs::test
