// The tables of the TPM 1.2 resource manager.

#include "daemon/rm12/release.h"
#include "daemon/rm12/resource_table.h"
#include "daemon/rm12/saved_keys.h"
#include "daemon/rm12/state.h"
#include "tests/support/catch2.h"
#include "tests/support/observer_notes.h"
#include "tests/support/virtual_handles12.h"

using namespace tbs;
using namespace tbs::rm12;
using exec::PhysicalHandle;
using exec::VirtualHandle;
using tbs::test::kAlice;
using tbs::test::kBob;
using tbs::test::kFirstAuth;
using tbs::test::kFirstKey;
using tbs::test::kFirstTransport;
using Handles = std::vector<VirtualHandle>;

namespace {

constexpr ContextId kFirst{1};
constexpr ContextId kSecond{2};

struct TwoContexts {
  TwoContexts() {
    state.table.open_context(kFirst, kAlice);
    state.table.open_context(kSecond, kBob);
  }

  // A session that is bound to `key` and loaded.
  Resource& bind(Resource& key, std::uint32_t physical) {
    Resource& session = state.table.add(key.owner, Kind::Auth, PhysicalHandle{physical});
    session.needs_key = true;
    session.key = &key;
    session.identity = key.identity;
    return session;
  }

  exec::Observer observer;
  State state{{}, observer};
  ResourceTable& table = state.table;
};

}  // namespace

// What a client says is no use where the TPM's own handles go, nor the other way round.
template <typename Handle>
concept Finds =
    requires(const ResourceTable& table, Handle handle) { table.find(kFirst, Kind::Key, handle); };
template <typename Handle>
concept Loads =
    requires(ResourceTable& table, Resource& key, Handle handle) { table.set_loaded(key, handle); };
static_assert(Finds<VirtualHandle> && !Finds<PhysicalHandle> && !Finds<std::uint32_t>);
static_assert(Loads<PhysicalHandle> && !Loads<VirtualHandle> && !Loads<std::uint32_t>);

TEST_CASE("who has lost a connection gets none of its keys and sessions again", "[rm12]") {
  TwoContexts two;
  two.table.skip_handles(kFirst, 2);
  const Resource& key = two.table.add(kFirst, Kind::Key, PhysicalHandle{7});
  CHECK(key.handle == VirtualHandle{kFirstKey + 0x20000});
  CHECK(two.table.find(kFirst, Kind::Key, VirtualHandle{kFirstKey}) == nullptr);
  CHECK(two.table.add(kFirst, Kind::Auth, PhysicalHandle{7}).handle ==
        VirtualHandle{kFirstAuth + 0x20000});
  CHECK(two.table.add(kSecond, Kind::Key, PhysicalHandle{8}).handle == VirtualHandle{kFirstKey});
}

TEST_CASE("virtual handles are the lowest free ones of each context and kind", "[rm12]") {
  TwoContexts two;
  Resource& first = two.table.add(kFirst, Kind::Key, PhysicalHandle{7});
  const Resource& second = two.table.add(kFirst, Kind::Key, PhysicalHandle{8});
  CHECK(first.handle == VirtualHandle{kFirstKey});
  CHECK(second.handle == VirtualHandle{kFirstKey + 1});
  CHECK(two.table.add(kFirst, Kind::Auth, PhysicalHandle{7}).handle == VirtualHandle{kFirstAuth});
  CHECK(two.table.add(kFirst, Kind::Transport, PhysicalHandle{7}).handle ==
        VirtualHandle{kFirstTransport});
  CHECK(two.table.add(kSecond, Kind::Key, PhysicalHandle{9}).handle == VirtualHandle{kFirstKey});
  two.table.erase(first);
  CHECK(two.table.add(kFirst, Kind::Key, PhysicalHandle{10}).handle == VirtualHandle{kFirstKey});
  CHECK(two.table.handles(kFirst, Kind::Key) ==
        Handles{VirtualHandle{kFirstKey}, VirtualHandle{kFirstKey + 1}});
  CHECK(two.table.find(kSecond, Kind::Key, VirtualHandle{kFirstKey + 1}) == nullptr);
  CHECK(two.table.find(ContextId{9}, Kind::Key, VirtualHandle{kFirstKey}) == nullptr);
}

TEST_CASE("a wanted handle is given, and that of a permanent key never", "[rm12]") {
  TwoContexts two;
  CHECK(two.table.add(kFirst, Kind::Key, PhysicalHandle{7}, VirtualHandle{0x55}).handle ==
        VirtualHandle{0x55});
  two.table.permanent_keys = {PhysicalHandle{kFirstKey}};
  CHECK(two.table.add(kFirst, Kind::Key, PhysicalHandle{8}).handle == VirtualHandle{kFirstKey + 1});
  CHECK(two.table.add(kFirst, Kind::Auth, PhysicalHandle{8}).handle == VirtualHandle{kFirstAuth});
}

TEST_CASE("nothing is loaded twice at one place", "[rm12]") {
  TwoContexts two;
  Resource& stale = two.table.add(kFirst, Kind::Key, PhysicalHandle{7});
  const Resource& session = two.table.add(kFirst, Kind::Auth, PhysicalHandle{7});
  two.table.add(kSecond, Kind::Key, PhysicalHandle{7});
  CHECK_FALSE(stale.loaded);
  CHECK(stale.lost());
  CHECK(session.loaded);
  CHECK(two.table.loaded_count(Kind::Key) == 1);
  stale.saved.store({1});
  CHECK_FALSE(stale.lost());
  two.table.set_loaded(stale, PhysicalHandle{8});
  CHECK(two.table.loaded_count(Kind::Key) == 2);
}

TEST_CASE("resources are counted by context and user", "[rm12]") {
  TwoContexts two;
  two.table.add(kFirst, Kind::Key, PhysicalHandle{1});
  two.table.add(kFirst, Kind::Auth, PhysicalHandle{1});
  two.table.add(kFirst, Kind::Transport, PhysicalHandle{1});
  CHECK(two.table.count(kFirst, true) == 1);
  CHECK(two.table.count(kFirst, false) == 2);
  CHECK(two.table.count(kAlice.account, false) == 2);
  CHECK(two.table.count(kBob.account, true) == 0);
}

TEST_CASE("a session moves to another context", "[rm12]") {
  TwoContexts two;
  Resource& session = two.table.add(kFirst, Kind::Auth, PhysicalHandle{1});
  two.table.add(kSecond, Kind::Auth, PhysicalHandle{2});
  two.table.move(session, kSecond, session.handle);
  CHECK(session.handle == VirtualHandle{kFirstAuth + 1});
  CHECK(session.principal == kBob);
  CHECK(two.table.find(kSecond, Kind::Auth, VirtualHandle{kFirstAuth + 1}) == &session);
  CHECK(two.table.handles(kFirst, Kind::Auth).empty());
}

TEST_CASE("what is released becomes stray", "[rm12]") {
  TwoContexts two;
  Resource& key = two.table.add(kFirst, Kind::Key, PhysicalHandle{7});
  key.identity = 5;
  Resource& saved = two.bind(key, 3);
  two.table.set_evicted(saved);
  saved.count = 44;
  saved.saved.store({1});
  two.bind(key, 4);
  const Resource& other = two.table.add(kFirst, Kind::Auth, PhysicalHandle{5});
  release(two.state, key);
  CHECK(two.table.handles(kFirst, Kind::Auth) == Handles{other.handle});
  REQUIRE(two.state.strays.size() == 3);
  CHECK(two.state.in_tpm(Kind::Key) == 1);
  CHECK(two.state.in_tpm(Kind::Auth) == 2);
  CHECK(std::ranges::count(two.state.strays, 44u, &Stray::count) == 1);
}

TEST_CASE("what the client has saved outlives the key", "[rm12]") {
  TwoContexts two;
  Resource& key = two.table.add(kFirst, Kind::Key, PhysicalHandle{7});
  Resource& session = two.bind(key, 3);
  two.table.set_evicted(session);
  session.client_blob = {1};
  session.saved.store({1});
  release(two.state, key);
  CHECK(session.key == nullptr);
  CHECK(two.table.handles(kFirst, Kind::Auth).empty());
  CHECK(two.table.all().size() == 1);
}

TEST_CASE("a permanent key is forgotten, not flushed", "[rm12]") {
  TwoContexts two;
  Resource& key = two.table.add(kFirst, Kind::Key, PhysicalHandle{7});
  key.permanent = true;
  CHECK_FALSE(key.evictable());
  CHECK(two.table.loaded_count(Kind::Key) == 0);
  release(two.state, key);
  CHECK(two.state.strays.empty());
}

TEST_CASE("saved key contexts are remembered, the newest of them", "[rm12]") {
  TwoContexts two;
  Resource& key = two.table.add(kFirst, Kind::Key, PhysicalHandle{7});
  key.identity = 5;
  SavedKeys saved;
  const std::vector<std::uint8_t> blob = {1, 2, 3};
  CHECK_FALSE(saved.find(blob));
  saved.remember(key, blob);
  REQUIRE(saved.find(blob));
  CHECK(saved.find(blob)->handle == key.handle);
  CHECK(saved.find(blob)->identity == 5);
  CHECK(saved.find(blob)->context == kFirst);
  for (std::uint8_t i = 0; i < 255; ++i) {
    for (std::uint8_t j = 0; j < 5; ++j) saved.remember(key, std::vector<std::uint8_t>{i, j});
  }
  CHECK_FALSE(saved.find(blob));
  saved.forget(kFirst);
  CHECK_FALSE(saved.find(std::vector<std::uint8_t>{254, 4}));
}

TEST_CASE("slots are learnt and forgotten", "[rm12]") {
  Slots slots;
  slots.set(10);
  slots.shrink(12);
  CHECK(slots.known == 10);
  slots.shrink(4);
  CHECK(slots.known == 4);
  slots.shrink(0);
  CHECK(slots.known == 1);
  slots.restore();
  CHECK(slots.known == 10);
  slots.set(0);
  CHECK(slots.known == 1);
}
