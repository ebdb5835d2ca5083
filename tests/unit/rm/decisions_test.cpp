#include <array>

#include "daemon/rm/capability_cache.h"
#include "daemon/rm/context_gap.h"
#include "daemon/rm/eviction.h"
#include "daemon/rm/reconcile.h"
#include "daemon/rm/session_share.h"
#include "daemon/rm/sticky.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/observer_notes.h"

using namespace tbs;
using namespace tbs::rm;
using exec::number_of;
using exec::PhysicalHandle;
using exec::VirtualHandle;
using proto::Status;
using tbs::test::kAlice;
using tbs::test::kBob;

namespace {

constexpr ContextId kContext{1};

struct World {
  World() {
    state.contexts[kContext] = kAlice;
    state.objects.open_context(kContext, kAlice);
  }
  Object& object(std::uint32_t physical) {
    Object& made = state.objects.add(kContext, PhysicalHandle{physical}, false);
    made.last_used = state.next_use();
    return made;
  }
  Session& session(std::uint32_t handle, const Principal& user = kAlice) {
    Session& made = state.sessions.add(PhysicalHandle{handle}, kContext, user);
    made.last_used = state.next_use();
    return made;
  }
  exec::Observer observer;
  State state{exec::Options{}, observer};
};

}  // namespace

TEST_CASE("the least recently used object that is not needed is evicted", "[rm][eviction]") {
  World world;
  Object& oldest = world.object(tpm::kTransientFirst);
  Object& middle = world.object(tpm::kTransientFirst + 1);
  world.object(tpm::kTransientFirst + 2);
  const std::array<Object*, 1> needed = {&oldest};
  const Pins pins{needed, {}};
  auto step = evict_object(world.state, pins);
  REQUIRE(step);
  // Never saved before, so that comes first.
  CHECK(step->verb == Verb::SaveObject);
  CHECK(step->object == &middle);
  middle.saved.store({1});
  step = evict_object(world.state, pins);
  CHECK(step->verb == Verb::FlushObject);
  world.state.stray_objects.push_back(PhysicalHandle{tpm::kTransientFirst + 7});
  step = evict_object(world.state, pins);
  CHECK(step->verb == Verb::FlushStray);
}

TEST_CASE("a sequence that was used since it was saved is saved again", "[rm][eviction]") {
  World world;
  Object& sequence = world.state.objects.add(kContext, PhysicalHandle{tpm::kTransientFirst}, true);
  CHECK(evict_object(world.state, {})->verb == Verb::SaveObject);
  sequence.saved.store({1});
  CHECK(evict_object(world.state, {})->verb == Verb::FlushObject);
  sequence.saved.note_use();
  CHECK(evict_object(world.state, {})->verb == Verb::SaveObject);
  // What has gone in that state cannot be brought back.
  world.state.objects.set_evicted(sequence);
  CHECK(sequence.lost());
}

TEST_CASE("a sequence's older context is not a reason to keep it", "[rm][reconcile]") {
  World world;
  Object& used = world.state.objects.add(kContext, PhysicalHandle{tpm::kTransientFirst}, true);
  used.saved.store({1});
  used.saved.note_use();
  Object& saved = world.state.objects.add(kContext, PhysicalHandle{tpm::kTransientFirst + 1}, true);
  saved.saved.store({1});
  const Losses losses =
      GENERATE(0, 1) == 0 ? drop_loaded(world.state) : reconcile(world.state, {}, Missing::Reload);
  CHECK(losses.objects == 1);
  CHECK(world.state.objects.count(kContext) == 1);
}

TEST_CASE("room is made only where there is none", "[rm][eviction]") {
  World world;
  world.object(tpm::kTransientFirst);
  world.object(tpm::kTransientFirst + 1);
  CHECK_FALSE(make_object_room(world.state, {}, 1));
  CHECK(make_object_room(world.state, {}, 2));
  const auto loaded = world.state.objects.loaded();
  CHECK_FALSE(make_object_room(world.state, {loaded, {}}, 2));
  world.session(TPM2_HMAC_SESSION_FIRST);
  CHECK_FALSE(make_session_room(world.state, {}, 2));
  CHECK(make_session_room(world.state, {}, 3)->verb == Verb::SaveSession);
}

TEST_CASE("slots for the kernel itself stay free, unless a command needs them", "[rm][eviction]") {
  World world;
  world.state.options.share = exec::Share::Spare;
  Object& object = world.object(tpm::kTransientFirst);
  world.session(TPM2_HMAC_SESSION_FIRST);
  world.session(TPM2_HMAC_SESSION_FIRST + 1);
  const Kept kept = kept_after_command(world.state);
  CHECK(kept.objects == 1);
  CHECK(kept.sessions == 2);
  // There are free ones, but not for us.
  CHECK(make_object_room(world.state, {}, 1));
  CHECK(make_session_room(world.state, {}, 1));
  const std::array<Object*, 1> needed = {&object};
  CHECK_FALSE(make_object_room(world.state, {needed, {}}, 1));
  world.state.options.share = exec::Share::Strict;
  CHECK_FALSE(make_object_room(world.state, {}, 2));
  CHECK(kept_after_command(world.state).objects == 0);
}

TEST_CASE("what is sticky is evicted last, and only if there is nothing else", "[rm][sticky]") {
  World world;
  Object& sticky = world.object(tpm::kTransientFirst);
  Object& other = world.object(tpm::kTransientFirst + 1);
  Session& kept = world.session(TPM2_HMAC_SESSION_FIRST);
  Session& idle = world.session(TPM2_HMAC_SESSION_FIRST + 1);
  REQUIRE(make_sticky(world.state, kContext, number_of(sticky.virtual_handle), true) ==
          Status::Success);
  REQUIRE(make_sticky(world.state, kContext, number_of(kept.handle), true) == Status::Success);
  CHECK(evict_object(world.state, {})->object == &other);
  CHECK(evict_session(world.state, {})->session == &idle);
  world.state.objects.set_evicted(other);
  world.state.sessions.set_saved(idle, {1}, 1, 255);
  CHECK(evict_object(world.state, {})->object == &sticky);
  CHECK(evict_session(world.state, {})->session == &kept);
  const std::array<Object*, 1> needed = {&sticky};
  CHECK_FALSE(evict_object(world.state, {needed, {}}));
}

TEST_CASE("a context can make its own sticky, and all together not too many", "[rm][sticky]") {
  World world;
  State& state = world.state;
  constexpr ContextId kOther{2};
  state.contexts[kOther] = kBob;
  state.objects.open_context(kOther, kBob);
  Object& first = world.object(tpm::kTransientFirst);
  Object& second = world.object(tpm::kTransientFirst + 1);
  const Session& session = world.session(TPM2_HMAC_SESSION_FIRST);
  CHECK(make_sticky(state, kOther, number_of(first.virtual_handle), true) == Status::BadParameter);
  CHECK(make_sticky(state, kOther, number_of(session.handle), true) == Status::BadParameter);
  for (const std::uint32_t none : {tpm::kTransientFirst + 7, TPM2_HMAC_SESSION_FIRST + 7,
                                   tpm::kPersistentFirst + 1, tpm::kRhOwner, 7U}) {
    CHECK(make_sticky(state, kContext, none, true) == Status::BadParameter);
  }
  // Of three slots, two are the others'.
  CHECK(make_sticky(state, kContext, number_of(first.virtual_handle), true) == Status::Success);
  CHECK(make_sticky(state, kContext, number_of(first.virtual_handle), true) == Status::Success);
  CHECK(make_sticky(state, kContext, number_of(second.virtual_handle), true) ==
        Status::TooManyResources);
  CHECK(make_sticky(state, kContext, number_of(session.handle), true) == Status::Success);
  CHECK(make_sticky(state, kContext, number_of(first.virtual_handle), false) == Status::Success);
  CHECK(make_sticky(state, kContext, number_of(second.virtual_handle), true) == Status::Success);
  state.objects.erase(second);
  CHECK(state.objects.sticky_count() == 0);
  CHECK(make_sticky(state, kContext, number_of(first.virtual_handle), true) == Status::Success);
  // A TPM without a slot to spare.
  state.facts.session_slots = 2;
  state.sessions.erase(*state.sessions.find(session.handle));
  CHECK(state.sessions.sticky_count() == 0);
  CHECK(make_sticky(state, kContext, number_of(world.session(TPM2_HMAC_SESSION_FIRST + 3).handle),
                    true) == Status::TooManyResources);
}

TEST_CASE("sessions are refreshed at half the gap, oldest first", "[rm][gap]") {
  World world;
  SessionTable& sessions = world.state.sessions;
  CHECK(due_for_refresh(sessions, 255) == nullptr);
  Session& first = world.session(TPM2_HMAC_SESSION_FIRST);
  Session& second = world.session(TPM2_HMAC_SESSION_FIRST + 1);
  sessions.set_saved(second, {1}, 100, 255);
  sessions.set_saved(first, {1}, 110, 255);
  CHECK(oldest_saved(sessions) == &second);
  CHECK(due_for_refresh(sessions, 255) == nullptr);
  Session& third = world.session(TPM2_HMAC_SESSION_FIRST + 2);
  sessions.set_saved(third, {1}, 226, 255);
  CHECK(due_for_refresh(sessions, 255) == nullptr);
  sessions.set_saved(third, {1}, 227, 255);
  CHECK(due_for_refresh(sessions, 255) == &second);
  sessions.set_loaded(second);
  CHECK(due_for_refresh(sessions, 255) == nullptr);
  CHECK(due_for_refresh(sessions, 230) == &first);
}

TEST_CASE("refreshing comes to an end, however small the gap", "[rm][gap]") {
  World world;
  SessionTable& sessions = world.state.sessions;
  std::uint64_t counter = 0;
  for (std::uint32_t i = 0; i < 30; ++i) {
    sessions.set_saved(world.session(TPM2_HMAC_SESSION_FIRST + i), {1}, ++counter, 255);
  }
  int refreshes = 0;
  while (Session* const due = due_for_refresh(sessions, 20)) {
    REQUIRE(++refreshes < 100);
    sessions.set_saved(*due, {1}, ++counter, 255);
  }
}

TEST_CASE("the user with most sessions gives one up", "[rm][share]") {
  World world;
  for (std::uint32_t i = 0; i < 4; ++i) world.session(TPM2_HMAC_SESSION_FIRST + i);
  // Alone: nobody else pays.
  CHECK(session_to_drop(world.state.sessions, kAlice.account, {}) == nullptr);
  Session* const dropped = session_to_drop(world.state.sessions, kBob.account, {});
  REQUIRE(dropped != nullptr);
  CHECK(dropped->handle == PhysicalHandle{TPM2_HMAC_SESSION_FIRST});
  const std::array<Session*, 1> kept = {dropped};
  CHECK(session_to_drop(world.state.sessions, kBob.account, kept)->handle ==
        PhysicalHandle{TPM2_HMAC_SESSION_FIRST + 1});
  // An orphan goes before a session in use, and also for the user's own sake.
  Session& orphan = *world.state.sessions.find(PhysicalHandle{TPM2_HMAC_SESSION_FIRST + 3});
  orphan.owner.reset();
  CHECK(session_to_drop(world.state.sessions, kBob.account, {}) == &orphan);
  CHECK(session_to_drop(world.state.sessions, kAlice.account, {}) == &orphan);
  // Who would hold as many has no right to the other's.
  for (std::uint32_t i = 4; i < 7; ++i) world.session(TPM2_HMAC_SESSION_FIRST + i, kBob);
  CHECK(session_to_drop(world.state.sessions, kBob.account, {}) == nullptr);
}

TEST_CASE("users give up sessions to administrators, and never the other way", "[rm][share]") {
  World world;
  const Principal administrator{.account = administrators_account(UserId{0}), .user = UserId{0}};
  for (std::uint32_t i = 0; i < 4; ++i) {
    world.session(TPM2_HMAC_SESSION_FIRST + i, administrator);
  }
  CHECK(session_to_drop(world.state.sessions, kAlice.account, {}) == nullptr);
  CHECK(session_to_drop(world.state.sessions, administrator.account, {}) == nullptr);
  Session& of_user = world.session(TPM2_HMAC_SESSION_FIRST + 4, kAlice);
  CHECK(session_to_drop(world.state.sessions, administrator.account, {}) == &of_user);
}

TEST_CASE("orphans expire by their age", "[rm][share]") {
  World world;
  Session& orphan = world.session(TPM2_HMAC_SESSION_FIRST);
  const TimePoint start{};
  const auto expired_after = [&](std::chrono::seconds age) {
    return expired_orphan(
        world.state.sessions, [=] { return start + age; }, std::chrono::seconds(60));
  };
  CHECK(expired_after(std::chrono::hours(9)) == nullptr);
  orphan.owner.reset();
  orphan.orphaned_at = start;
  CHECK(expired_after(std::chrono::seconds(59)) == nullptr);
  CHECK(expired_after(std::chrono::seconds(60)) == &orphan);
}

TEST_CASE("only what cannot change is remembered", "[rm][capability_cache]") {
  CHECK(CapabilityCache::cacheable({tpm::cap::kAlgorithms, 0, 1}));
  CHECK(CapabilityCache::cacheable({tpm::cap::kProperties, tpm::pt::kFixed, 1}));
  CHECK_FALSE(CapabilityCache::cacheable({tpm::cap::kProperties, tpm::pt::kVariable, 1}));
  CHECK_FALSE(CapabilityCache::cacheable({tpm::cap::kHandles, tpm::kPersistentFirst, 1}));
  CHECK_FALSE(CapabilityCache::cacheable({5, 0, 1}));  // allocated PCRs
  CapabilityCache cache;
  const proto::Buffer response = {1, 2, 3};
  for (std::uint32_t i = 0; i < 100; ++i) cache.put({tpm::cap::kAlgorithms, i, 1}, response);
  CHECK(cache.find({tpm::cap::kAlgorithms, 0, 1}) == nullptr);
  REQUIRE(cache.find({tpm::cap::kAlgorithms, 99, 1}) != nullptr);
  CHECK(*cache.find({tpm::cap::kAlgorithms, 99, 1}) == response);
  CHECK(cache.find({tpm::cap::kAlgorithms, 99, 2}) == nullptr);
  cache.clear();
  CHECK(cache.find({tpm::cap::kAlgorithms, 99, 1}) == nullptr);
}

TEST_CASE("experience lowers the number of slots, but not below the guarantee", "[rm][facts]") {
  Facts facts;
  facts.object_slots = 6;
  facts.shrink_objects(4);
  CHECK(facts.object_slots == 4);
  facts.shrink_objects(5);
  CHECK(facts.object_slots == 4);
  facts.shrink_objects(1);
  CHECK(facts.object_slots == 3);
}
