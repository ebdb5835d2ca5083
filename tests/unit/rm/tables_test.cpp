#include "daemon/rm/object_table.h"
#include "daemon/rm/session_table.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/observer_notes.h"

using namespace tbs;
using namespace tbs::rm;
using exec::PhysicalHandle;
using exec::VirtualHandle;
using tbs::test::kAlice;
using tbs::test::kBob;

namespace {

constexpr ContextId kFirst{1};
constexpr ContextId kSecond{2};

}  // namespace

TEST_CASE("virtual handles are the lowest free ones of each context", "[rm][objects]") {
  ObjectTable table;
  table.open_context(kFirst, kAlice);
  table.open_context(kSecond, kBob);
  Object& a = table.add(kFirst, PhysicalHandle{tpm::kTransientFirst}, false);
  Object& b = table.add(kFirst, PhysicalHandle{tpm::kTransientFirst + 1}, false);
  const Object& c = table.add(kSecond, PhysicalHandle{tpm::kTransientFirst + 2}, false);
  CHECK(a.virtual_handle == VirtualHandle{tpm::kTransientFirst});
  CHECK(b.virtual_handle == VirtualHandle{tpm::kTransientFirst + 1});
  CHECK(c.virtual_handle == VirtualHandle{tpm::kTransientFirst});
  CHECK(table.find(kFirst, VirtualHandle{tpm::kTransientFirst + 1}) == &b);
  CHECK(table.find(kSecond, VirtualHandle{tpm::kTransientFirst + 1}) == nullptr);
  CHECK(table.find(ContextId{3}, VirtualHandle{tpm::kTransientFirst}) == nullptr);
  CHECK(table.find(kFirst, VirtualHandle{tpm::kPersistentFirst + 1}) == nullptr);
  table.erase(a);
  CHECK(table.add(kFirst, PhysicalHandle{tpm::kTransientFirst}, false).virtual_handle ==
        VirtualHandle{tpm::kTransientFirst});
  CHECK(table.handles_from(kFirst, VirtualHandle{tpm::kTransientFirst + 1}) ==
        std::vector{VirtualHandle{tpm::kTransientFirst + 1}});
}

TEST_CASE("who has lost a connection gets none of its handles again", "[rm][objects]") {
  ObjectTable table;
  table.open_context(kFirst, kAlice);
  table.skip_handles(kFirst, 1);
  Object& a = table.add(kFirst, PhysicalHandle{tpm::kTransientFirst}, false);
  const Object& b = table.add(kFirst, PhysicalHandle{tpm::kTransientFirst + 1}, false);
  CHECK(a.virtual_handle == VirtualHandle{tpm::kTransientFirst + 0x10000});
  CHECK(b.virtual_handle == VirtualHandle{tpm::kTransientFirst + 0x10001});
  CHECK(table.find(kFirst, a.virtual_handle) == &a);
  for (const std::uint32_t stale : {0U, 1U, 0xFFFFU, 0x10002U, 0x20000U, 0xFFFFFFU}) {
    INFO(stale);
    CHECK(table.find(kFirst, VirtualHandle{tpm::kTransientFirst + stale}) == nullptr);
  }
  table.erase(a);
  CHECK(table.add(kFirst, PhysicalHandle{tpm::kTransientFirst}, false).virtual_handle ==
        VirtualHandle{tpm::kTransientFirst + 0x10000});
  // Nor, for as long as there are numbers, those of the connections before.
  std::vector<std::uint32_t> starts;
  for (std::uint32_t earlier = 0; earlier < 255; ++earlier) {
    starts.push_back(exec::first_handle_index(earlier));
    CHECK(starts.back() == earlier << 16);
  }
  CHECK(exec::first_handle_index(255) == exec::first_handle_index(1));
  CHECK(exec::first_handle_index(0xFFFFFFFF) < 0xFF0000);
}

TEST_CASE("objects are counted by context and user", "[rm][objects]") {
  ObjectTable table;
  table.open_context(kFirst, kAlice);
  table.open_context(kSecond, kAlice);
  Object& a = table.add(kFirst, PhysicalHandle{tpm::kTransientFirst}, false);
  table.add(kSecond, PhysicalHandle{tpm::kTransientFirst + 1}, false);
  CHECK(table.count(kFirst) == 1);
  CHECK(table.count(kAlice.account) == 2);
  CHECK(table.loaded().size() == 2);
  table.set_evicted(a);
  CHECK(table.count(kAlice.account) == 2);
  CHECK(table.loaded().size() == 1);
  table.erase(a);
  CHECK(table.count(kFirst) == 0);
  CHECK(table.count(kAlice.account) == 1);
  CHECK(table.count(kBob.account) == 0);
}

TEST_CASE("two objects are never loaded at one handle", "[rm][objects]") {
  ObjectTable table;
  table.open_context(kFirst, kAlice);
  Object& stale = table.add(kFirst, PhysicalHandle{tpm::kTransientFirst}, false);
  const Object& fresh = table.add(kFirst, PhysicalHandle{tpm::kTransientFirst}, false);
  CHECK_FALSE(stale.loaded());
  CHECK(stale.lost());
  CHECK(fresh.loaded());
  CHECK(table.loaded().size() == 1);
}

TEST_CASE("a session is found by its index", "[rm][sessions]") {
  SessionTable table;
  Session& session = table.add(PhysicalHandle{TPM2_POLICY_SESSION_FIRST + 5}, kFirst, kAlice);
  CHECK(table.find(PhysicalHandle{TPM2_HMAC_SESSION_FIRST + 5}) == &session);
  CHECK(table.find(PhysicalHandle{TPM2_POLICY_SESSION_FIRST + 4}) == nullptr);
  CHECK(table.loaded_count() == 1);
  table.set_saved(session, {1, 2, 3}, 77, 255);
  CHECK(table.loaded_count() == 0);
  CHECK(table.age_of(session) == 0);
  table.set_loaded(session);
  CHECK(!session.saved.current());
  CHECK(table.loaded_count() == 1);
  // The TPM gave the index again: the old session cannot exist any more.
  const Session& again = table.add(PhysicalHandle{TPM2_HMAC_SESSION_FIRST + 5}, kSecond, kBob);
  CHECK(again.handle == PhysicalHandle{TPM2_HMAC_SESSION_FIRST + 5});
  CHECK(table.total() == 1);
  CHECK(table.loaded_count() == 1);
  CHECK(table.count(kAlice.account) == 0);
  CHECK(table.count(kSecond) == 1);
}

namespace {

// Two saved sessions; the first stays as it is.
struct SavedSessions {
  static constexpr std::uint64_t kGap = 255;

  // The second is saved once more, with this number.
  void save(std::uint64_t sequence) {
    table.set_loaded(other);
    table.set_saved(other, {1}, sequence, kGap);
  }
  std::uint64_t age() { return table.age_of(oldest); }

  SessionTable table;
  Session& oldest = table.add(PhysicalHandle{0x02000000}, kFirst, kAlice);
  Session& other = table.add(PhysicalHandle{0x02000001}, kFirst, kAlice);
};

}  // namespace

TEST_CASE("a saved session ages by what the TPM's counter moves on", "[rm][sessions]") {
  SavedSessions saved;
  saved.table.set_saved(saved.oldest, {1}, 1000, SavedSessions::kGap);
  CHECK(saved.age() == 0);
  saved.save(1001);
  CHECK(saved.age() == 1);
  saved.save(1101);  // others have saved sessions, too
  CHECK(saved.age() == 101);
  saved.save(1256);
  CHECK(saved.age() == 256);
  CHECK(saved.table.age_of(saved.other) == 0);
}

TEST_CASE("a sequence number that cannot be is not believed, and the next one is",
          "[rm][sessions]") {
  SavedSessions saved;
  saved.table.set_saved(saved.oldest, {1}, 1000, SavedSessions::kGap);
  const std::uint64_t lie =
      GENERATE(std::uint64_t{0}, std::uint64_t{999}, std::uint64_t{1000}, std::uint64_t{1257},
               std::uint64_t{1} << 62, ~std::uint64_t{0});
  saved.save(lie);
  CHECK(saved.age() == 1);
  saved.save(1002);
  saved.save(1003);
  CHECK(saved.age() <= 6);
  saved.save(1023);
  CHECK(saved.age() <= 26);
  CHECK(saved.age() >= 22);
}

TEST_CASE("a TPM whose numbers are of no use ages sessions by our own saves", "[rm][sessions]") {
  SavedSessions saved;
  saved.table.set_saved(saved.oldest, {1}, 7, SavedSessions::kGap);
  std::uint64_t number = 1;
  const bool same = GENERATE(true, false);
  for (int i = 1; i <= 100; ++i) {
    if (!same) number = number * 6364136223846793005U + 1442695040888963407U;
    saved.save(number);
    REQUIRE(saved.age() == static_cast<std::uint64_t>(i));
  }
}

TEST_CASE("a corrupted first number is no worse than a later one", "[rm][sessions]") {
  SavedSessions saved;
  saved.table.set_saved(saved.oldest, {1}, std::uint64_t{1} << 62, SavedSessions::kGap);
  for (std::uint64_t i = 0; i < 20; ++i) saved.save(1001 + i);
  CHECK(saved.age() == 20);
}

TEST_CASE("orphans belong to a user and to no context", "[rm][sessions]") {
  SessionTable table;
  Session& older = table.add(PhysicalHandle{TPM2_HMAC_SESSION_FIRST}, kFirst, kAlice);
  Session& newer = table.add(PhysicalHandle{TPM2_HMAC_SESSION_FIRST + 1}, kFirst, kAlice);
  older.owner.reset();
  newer.owner.reset();
  older.last_used = 1;
  newer.last_used = 2;
  CHECK(table.orphans(kAlice.account) == 2);
  CHECK(table.orphans(kBob.account) == 0);
  CHECK(table.count(kFirst) == 0);
  CHECK(table.oldest_orphan(kAlice.account) == &older);
  CHECK(table.oldest_orphan(kBob.account) == nullptr);
}
