#include <array>

#include <catch2/catch.hpp>

#include "daemon/rm/capability_cache.h"
#include "daemon/rm/context_gap.h"
#include "daemon/rm/eviction.h"
#include "daemon/rm/reconcile.h"
#include "daemon/rm/session_share.h"
#include "daemon/rm/sticky.h"
#include "proto/tpm/constants.h"

using namespace tbs;
using namespace tbs::rm;
using exec::number_of;
using exec::PhysicalHandle;
using exec::VirtualHandle;
using proto::Status;

namespace {

constexpr ContextId kContext{1};
constexpr UserId kAlice{1000};
constexpr UserId kBob{1001};

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
  Session& session(std::uint32_t handle, UserId user = kAlice) {
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
  Object& oldest = world.object(0x80000000);
  Object& middle = world.object(0x80000001);
  world.object(0x80000002);
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
  world.state.stray_objects.push_back(PhysicalHandle{0x80000007});
  step = evict_object(world.state, pins);
  CHECK(step->verb == Verb::FlushStray);
}

TEST_CASE("a sequence that was used since it was saved is saved again", "[rm][eviction]") {
  World world;
  Object& sequence = world.state.objects.add(kContext, PhysicalHandle{0x80000000}, true);
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
  Object& used = world.state.objects.add(kContext, PhysicalHandle{0x80000000}, true);
  used.saved.store({1});
  used.saved.note_use();
  Object& saved = world.state.objects.add(kContext, PhysicalHandle{0x80000001}, true);
  saved.saved.store({1});
  const Losses losses =
      GENERATE(0, 1) == 0 ? drop_loaded(world.state) : reconcile(world.state, {}, Missing::Reload);
  CHECK(losses.objects == 1);
  CHECK(world.state.objects.count(kContext) == 1);
}

TEST_CASE("room is made only where there is none", "[rm][eviction]") {
  World world;
  world.object(0x80000000);
  world.object(0x80000001);
  CHECK_FALSE(make_object_room(world.state, {}, 1));
  CHECK(make_object_room(world.state, {}, 2));
  const auto loaded = world.state.objects.loaded();
  CHECK_FALSE(make_object_room(world.state, {loaded, {}}, 2));
  world.session(0x02000000);
  CHECK_FALSE(make_session_room(world.state, {}, 2));
  CHECK(make_session_room(world.state, {}, 3)->verb == Verb::SaveSession);
}

TEST_CASE("what is sticky is evicted last, and only if there is nothing else", "[rm][sticky]") {
  World world;
  Object& sticky = world.object(0x80000000);
  Object& other = world.object(0x80000001);
  Session& kept = world.session(0x02000000);
  Session& idle = world.session(0x02000001);
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
  Object& first = world.object(0x80000000);
  Object& second = world.object(0x80000001);
  const Session& session = world.session(0x02000000);
  CHECK(make_sticky(state, kOther, number_of(first.virtual_handle), true) == Status::BadParameter);
  CHECK(make_sticky(state, kOther, number_of(session.handle), true) == Status::BadParameter);
  for (const std::uint32_t none : {0x80000007U, 0x02000007U, 0x81000001U, 0x40000001U, 7U}) {
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
  CHECK(make_sticky(state, kContext, number_of(world.session(0x02000003).handle), true) ==
        Status::TooManyResources);
}

TEST_CASE("sessions are refreshed at half the gap, oldest first", "[rm][gap]") {
  World world;
  SessionTable& sessions = world.state.sessions;
  CHECK(due_for_refresh(sessions, 255) == nullptr);
  Session& first = world.session(0x02000000);
  Session& second = world.session(0x02000001);
  sessions.set_saved(second, {1}, 100, 255);
  sessions.set_saved(first, {1}, 110, 255);
  CHECK(oldest_saved(sessions) == &second);
  CHECK(due_for_refresh(sessions, 255) == nullptr);
  Session& third = world.session(0x02000002);
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
    sessions.set_saved(world.session(0x02000000 + i), {1}, ++counter, 255);
  }
  int refreshes = 0;
  while (Session* const due = due_for_refresh(sessions, 20)) {
    REQUIRE(++refreshes < 100);
    sessions.set_saved(*due, {1}, ++counter, 255);
  }
}

TEST_CASE("the user with most sessions gives one up", "[rm][share]") {
  World world;
  for (std::uint32_t i = 0; i < 4; ++i) world.session(0x02000000 + i);
  // Alone: nobody else pays.
  CHECK(session_to_drop(world.state.sessions, kAlice, {}) == nullptr);
  Session* const dropped = session_to_drop(world.state.sessions, kBob, {});
  REQUIRE(dropped != nullptr);
  CHECK(dropped->handle == PhysicalHandle{0x02000000});
  const std::array<Session*, 1> kept = {dropped};
  CHECK(session_to_drop(world.state.sessions, kBob, kept)->handle == PhysicalHandle{0x02000001});
  // An orphan goes before a session in use, and also for the user's own sake.
  Session& orphan = *world.state.sessions.find(PhysicalHandle{0x02000003});
  orphan.owner.reset();
  CHECK(session_to_drop(world.state.sessions, kBob, {}) == &orphan);
  CHECK(session_to_drop(world.state.sessions, kAlice, {}) == &orphan);
  // Who would hold as many has no right to the other's.
  for (std::uint32_t i = 4; i < 7; ++i) world.session(0x02000000 + i, kBob);
  CHECK(session_to_drop(world.state.sessions, kBob, {}) == nullptr);
}

TEST_CASE("orphans expire by their age", "[rm][share]") {
  World world;
  Session& orphan = world.session(0x02000000);
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
  CHECK_FALSE(CapabilityCache::cacheable({tpm::cap::kHandles, 0x81000000, 1}));
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
