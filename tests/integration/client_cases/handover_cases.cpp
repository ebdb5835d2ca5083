// Sessions between connections: handed over by their owner, and safe from everybody else.

#include "tests/integration/client_cases/case.h"
#include "tests/integration/support/other_user.h"
#include "tests/support/catch2.h"

namespace tbs::test {
namespace {

TPMS_CONTEXT saved_by(const TssClient& client) {
  TPM2_HANDLE session = 0;
  REQUIRE(client.start_session(TPM2_SE_POLICY, session) == TSS2_RC_SUCCESS);
  TPMS_CONTEXT saved;
  REQUIRE(client.save(session, saved) == TSS2_RC_SUCCESS);
  return saved;
}

TPMS_CONTEXT orphan(TestBench& bench) {
  const TPMS_CONTEXT saved = saved_by(TssClient(bench.socket()));
  // The daemon has noticed that the connection is closed.
  REQUIRE(eventually([&bench] { return bench.contexts().empty(); }));
  return saved;
}

TSS2_RC use(const TssClient& client, TPM2_HANDLE session) {
  TPM2B_DIGEST digest{};
  return Tss2_Sys_PolicyGetDigest(client.sys(), session, nullptr, &digest, nullptr);
}

}  // namespace

void session_of_closed_connection(TestBench& bench) {
  TPMS_CONTEXT saved = orphan(bench);
  for (int round = 0; round < 5; ++round) {
    const TPM2_HANDLE handle = saved.savedHandle;
    {
      const TssClient client(bench.socket());
      TPM2_HANDLE session = 0;
      REQUIRE(client.load(saved, session) == TSS2_RC_SUCCESS);
      CHECK(session == handle);
      CHECK(use(client, session) == TSS2_RC_SUCCESS);
      REQUIRE(client.save(session, saved) == TSS2_RC_SUCCESS);
    }
    REQUIRE(eventually([&bench] { return bench.contexts().empty(); }));
  }
}

void orphans_least_recent(TestBench& bench) {
  std::vector<TPMS_CONTEXT> orphans;
  for (std::size_t i = 0; i <= kOrphanLimit; ++i) orphans.push_back(orphan(bench));
  const TssClient client(bench.socket());
  TPM2_HANDLE session = 0;
  // The daemon knows nothing of it any more, so that the TPM itself refuses it.
  CHECK(client.load(orphans.front(), session) == (kUnknown & ~TSS2_RC_LAYER_MASK));
  for (std::size_t i = 1; i <= kOrphanLimit; ++i) {
    CHECK(client.load(orphans[i], session) == TSS2_RC_SUCCESS);
  }
}

void orphan_expires(TestBench& bench) {
  const TPMS_CONTEXT left = orphan(bench);
  // Nothing is sent to the TPM meanwhile.
  CHECK(eventually([&bench] { return bench.daemon().log().contains("was flushed"); }));
  const TssClient client(bench.socket());
  TPM2_HANDLE session = 0;
  CHECK(client.load(left, session) == (kUnknown & ~TSS2_RC_LAYER_MASK));
}

void session_of_open_connection(TestBench& bench) {
  const TssClient owner(bench.socket());
  const TPMS_CONTEXT saved = saved_by(owner);
  const TssClient other(bench.socket());
  TPM2_HANDLE session = 0;
  REQUIRE(other.load(saved, session) == TSS2_RC_SUCCESS);
  CHECK(session == saved.savedHandle);
  CHECK(use(other, session) == TSS2_RC_SUCCESS);
  // It is the other one's now.
  CHECK(owner.load(saved, session) == kUnknown);
  CHECK(owner.flush(saved.savedHandle) == kUnknown);
  CHECK(other.flush(saved.savedHandle) == TSS2_RC_SUCCESS);
}

void session_of_neighbour(TestBench& bench) {
  if (!can_become_nobody()) return;
  const TPMS_CONTEXT left = orphan(bench);
  const TssClient owner(bench.socket());
  const TPMS_CONTEXT saved = saved_by(owner);
  const int refused = as_nobody([&] {
    const TssClient thief(bench.socket());
    TPM2_HANDLE session = 0;
    int count = 0;
    for (const TPMS_CONTEXT* const stolen : {&left, &saved}) {
      if (thief.load(*stolen, session) == kUnknown) ++count;
      if (thief.flush(stolen->savedHandle) == kUnknown) ++count;
    }
    return count + static_cast<int>(thief.handles(TPM2_ACTIVE_SESSION_FIRST).size());
  });
  CHECK(refused == 4);
  TPM2_HANDLE session = 0;
  CHECK(owner.load(saved, session) == TSS2_RC_SUCCESS);
  CHECK(owner.load(left, session) == TSS2_RC_SUCCESS);
}

void session_flushed_by_another(TestBench& bench) {
  const TssClient owner(bench.socket());
  TPM2_HANDLE session = 0;
  REQUIRE(owner.start_session(TPM2_SE_POLICY, session) == TSS2_RC_SUCCESS);
  const TssClient other(bench.socket());
  CHECK(other.flush(session) == kUnknown);
  CHECK(use(other, session) == (TSS2_RESMGR_RC_LAYER | TPM2_RC_REFERENCE_H0));
  TPMS_CONTEXT saved;
  CHECK(other.save(session, saved) == (TSS2_RESMGR_RC_LAYER | TPM2_RC_REFERENCE_H0));
  CHECK(other.handles(TPM2_LOADED_SESSION_FIRST).empty());
  CHECK(use(owner, session) == TSS2_RC_SUCCESS);
  CHECK(owner.flush(session) == TSS2_RC_SUCCESS);
}

}  // namespace tbs::test
