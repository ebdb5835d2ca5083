#include "daemon/sched/run_queue.h"

#include <map>
#include <random>
#include <set>

#include "tests/support/catch2.h"
#include "tests/support/client_command.h"

using namespace tbs;
using namespace tbs::sched;
using namespace std::chrono_literals;

namespace {

const TimePoint kStart{};

SharedCommand request(std::uint64_t context, std::uint64_t id, std::uint32_t priority,
                      UserId user = UserId{0}) {
  return test::client_command({.user = user,
                               .context = ContextId{context},
                               .request = RequestId{id},
                               .priority = priority});
}

std::uint64_t pop_id(RunQueue& queue, TimePoint now) {
  const auto popped = queue.pop(now);
  REQUIRE(popped != nullptr);
  return static_cast<std::uint64_t>(popped->request());
}

}  // namespace

TEST_CASE("the highest priority goes first, whatever the order of arrival", "[sched][queue]") {
  RunQueue queue;
  queue.push(request(1, 1, 100), kStart);
  queue.push(request(1, 2, 0), kStart);
  queue.push(request(2, 3, 0x80000000U), kStart);
  queue.push(request(3, 4, 300), kStart);
  queue.push(request(3, 5, 200), kStart);
  for (const std::uint64_t expected : {3U, 4U, 5U, 1U, 2U}) {
    REQUIRE(pop_id(queue, kStart) == expected);
  }
  REQUIRE(queue.empty());
  REQUIRE(queue.pop(kStart) == nullptr);
}

TEST_CASE("contexts of one priority take turns, and keep their own order", "[sched][queue]") {
  RunQueue queue;
  for (std::uint64_t id = 0; id < 3; ++id) queue.push(request(1, 10 + id, 200), kStart);
  for (std::uint64_t id = 0; id < 2; ++id) queue.push(request(2, 20 + id, 200), kStart);
  queue.push(request(3, 30, 200), kStart);
  for (const std::uint64_t expected : {10U, 20U, 30U, 11U, 21U, 12U}) {
    REQUIRE(pop_id(queue, kStart) == expected);
  }
}

TEST_CASE("what a context has waiting counts for less past its user's share", "[sched][queue]") {
  RunQueue queue;
  TimePoint now = kStart;
  const AccountId account = account_of(UserId{1000});
  CHECK_FALSE(queue.waiting_of(account, ContextId{1}, now).has_value());
  CHECK(queue.highest(now) == 0);
  queue.push(request(1, 1, 200, UserId{1000}), now);
  queue.push(request(1, 2, 300, UserId{1000}), now + 1ms);
  queue.push(request(2, 3, 100, UserId{1001}), now);
  auto waiting = queue.waiting_of(account, ContextId{1}, now);
  CHECK(waiting->since == now);
  CHECK(waiting->priority == 300);
  CHECK(waiting->counts_as == 300);
  CHECK(queue.highest(now) == 300);
  CHECK(queue.waiting_of(account_of(UserId{1001}), ContextId{2}, now)->counts_as == 100);
  CHECK_FALSE(queue.waiting_of(account, ContextId{2}, now).has_value());

  // It has had more above NORMAL than it may.
  REQUIRE(pop_id(queue, now) == 2);
  now += 10s;
  queue.finished(10s, now);
  queue.push(request(1, 4, 300, UserId{1000}), now);
  waiting = queue.waiting_of(account, ContextId{1}, now);
  CHECK(waiting->priority == 300);
  CHECK(waiting->counts_as == 200);
  CHECK(queue.highest(now) == 200);
  queue.remove(ContextId{1});
  CHECK_FALSE(queue.waiting_of(account, ContextId{1}, now).has_value());
  CHECK(queue.highest(now) == 100);
}

TEST_CASE("a low level is served under an endless flood of a higher one", "[sched][queue]") {
  RunQueue queue;
  TimePoint now = kStart;
  queue.push(request(1, 1, 100), now);
  queue.push(request(2, 2, 300), now);
  while (queue.size() == 2) {
    now += 20ms;
    const auto popped = queue.pop(now);
    if (popped->priority() == 300) queue.push(request(2, 2, 300), now);
    if (popped->priority() == 100) break;
    REQUIRE(now - kStart < 2500ms);
  }
  // 200 steps below, lifted by 100 a second.
  REQUIRE(now - kStart >= 1900ms);
}

TEST_CASE("no priority is so high that another waits for ever", "[sched][queue]") {
  RunQueue queue;
  TimePoint now = kStart;
  queue.push(request(1, 1, 0), now);
  queue.push(request(2, 2, 0xffffffffU), now);
  for (;;) {
    now += 100ms;
    const auto popped = queue.pop(now);
    if (popped->priority() == 0) break;
    queue.push(request(2, 2, 0xffffffffU), now);
    REQUIRE(now - kStart < 11s);
  }
}

TEST_CASE("a long queue within one level does not overtake a higher one", "[sched][queue]") {
  RunQueue queue;
  TimePoint now = kStart;
  for (std::uint64_t context = 1; context <= 64; ++context) {
    queue.push(request(context, context, 200), now);
  }
  // Each takes a second on the TPM, so most have waited far longer than any lift needs.
  for (int i = 0; i < 40; ++i) {
    REQUIRE(queue.pop(now)->priority() == 200);
    now += 1s;
  }
  queue.push(request(100, 999, 300), now - 1ms);
  REQUIRE(pop_id(queue, now) == 999);
}

TEST_CASE("what is loaded goes first, for a slice", "[sched][queue][swap]") {
  RunQueue queue;
  TimePoint now = kStart;
  // Context 1 is loaded and always has a command; contexts 2 and 3 would need a swap.
  std::uint64_t loaded = 1;
  const auto is_loaded = [&](const ClientCommand& r) { return r.context() == ContextId{loaded}; };
  for (std::uint64_t context = 3; context >= 1; --context) {
    queue.push(request(context, context, 200), now);
  }
  int in_a_row = 0;
  for (;;) {
    const auto popped = queue.pop(now, 100ms, is_loaded);
    REQUIRE(popped != nullptr);
    if (popped->context() != ContextId{1}) {
      // The one that has waited longest.
      REQUIRE(popped->context() == ContextId{3});
      break;
    }
    ++in_a_row;
    now += 10ms;
    queue.push(request(1, 1, 200), now);
  }
  REQUIRE(in_a_row == 10);
  // Now 3 is loaded, and it is 2 that is passed over for a slice, not for ever.
  loaded = 3;
  queue.push(request(3, 3, 200), now);
  for (int i = 0; i < 10; ++i) {
    REQUIRE(queue.pop(now, 100ms, is_loaded)->context() == ContextId{3});
    now += 10ms;
    queue.push(request(3, 3, 200), now);
  }
  REQUIRE(queue.pop(now, 100ms, is_loaded)->context() == ContextId{2});
}

TEST_CASE("who needs nothing loaded gets its share, and not each second turn",
          "[sched][queue][swap]") {
  const bool one_user = GENERATE(false, true);
  const auto user_of = [&](std::uint64_t context) {
    return UserId{one_user ? 1000 : 1000 + context};
  };
  RunQueue queue;
  TimePoint now = kStart;
  // Context 1 makes keys, which takes long; contexts 2 and 3 sign with ones that need a swap.
  const auto is_loaded = [](const ClientCommand& r) { return r.context() == ContextId{1}; };
  std::map<std::uint64_t, Duration> had;
  for (std::uint64_t context = 1; context <= 3; ++context) {
    queue.push(request(context, context, 200, user_of(context)), now);
  }
  while (now < kStart + 60s) {
    const auto popped = queue.pop(now, 50ms, is_loaded);
    REQUIRE(popped != nullptr);
    const auto context = static_cast<std::uint64_t>(popped->context());
    const Duration took = context == 1 ? 900ms : 100ms;
    now += took;
    had[context] += took;
    queue.finished(took, now);
    queue.push(request(context, context, 200, user_of(context)), now);
  }
  CHECK(had[1] < 25s);
  CHECK(had[2] > 15s);
  CHECK(had[3] > 15s);
}

TEST_CASE("nothing is held back when all need a swap, or none", "[sched][queue][swap]") {
  const bool all = GENERATE(true, false);
  RunQueue queue;
  for (std::uint64_t context = 1; context <= 3; ++context) {
    queue.push(request(context, context, 200), kStart);
  }
  for (const std::uint64_t expected : {1U, 2U, 3U}) {
    REQUIRE(queue.pop(kStart, 1s, [&](const ClientCommand&) { return !all; })->context() ==
            ContextId{expected});
  }
}

TEST_CASE("a loaded context overtakes within its own level only", "[sched][queue][swap]") {
  RunQueue queue;
  queue.push(request(1, 1, 200), kStart);
  queue.push(request(2, 2, 300), kStart);
  const auto is_loaded = [](const ClientCommand& r) { return r.context() == ContextId{1}; };
  REQUIRE(pop_id(queue, kStart) == 2);
  REQUIRE(queue.pop(kStart, 1s, is_loaded)->context() == ContextId{1});
}

TEST_CASE("removing a context leaves the others as they were", "[sched][queue]") {
  RunQueue queue;
  queue.push(request(1, 10, 200), kStart);
  queue.push(request(2, 20, 200), kStart);
  queue.push(request(1, 11, 300), kStart);
  const auto removed = queue.remove(ContextId{1});
  REQUIRE(removed.size() == 2);
  REQUIRE(queue.size() == 1);
  REQUIRE(queue.remove(ContextId{1}).empty());
  REQUIRE(pop_id(queue, kStart) == 20);
  queue.push(request(1, 12, 200), kStart);
  REQUIRE(queue.clear().size() == 1);
  REQUIRE(queue.empty());
}

TEST_CASE("a context's commands are found whoever asked for them", "[sched][queue]") {
  RunQueue queue;
  queue.push(request(1, 10, 200, UserId{1000}), kStart);
  queue.push(request(1, 11, 300, UserId{0}), kStart);
  queue.push(request(2, 20, 200, UserId{0}), kStart);
  REQUIRE(queue.remove(ContextId{1}).size() == 2);
  REQUIRE(queue.size() == 1);
  REQUIRE(pop_id(queue, kStart) == 20);
}

TEST_CASE("whatever is pushed comes out once, and nothing starves", "[sched][queue]") {
  std::mt19937 random(GENERATE(1U, 2U, 3U, 4U));
  RunQueue queue;
  TimePoint now = kStart;
  std::map<std::uint64_t, TimePoint> waiting;
  Duration longest{};
  for (std::uint64_t id = 0; id < 20000; ++id) {
    now += 1ms;
    const std::uint32_t priority = std::uniform_int_distribution<std::uint32_t>(0, 4)(random) * 100;
    if (waiting.size() < 200) {
      queue.push(request(random() % 20, id, priority), now);
      waiting.emplace(id, now);
    }
    if (id % 2 == 0) continue;
    const auto popped = queue.pop(now);
    REQUIRE(popped != nullptr);
    const auto entry = waiting.find(static_cast<std::uint64_t>(popped->request()));
    REQUIRE(entry != waiting.end());
    longest = std::max(longest, now - entry->second);
    waiting.erase(entry);
  }
  REQUIRE(queue.size() == waiting.size());
  // At most 200 commands of 2 ms each wait at a time; the lift must have let all of them through.
  REQUIRE(longest < 30s);
}

TEST_CASE("urgent commands count again as soon as they may", "[sched][queue]") {
  const bool by_time = GENERATE(true, false);
  RunQueue queue;
  TimePoint now = kStart;
  queue.push(request(1, 1, 300, UserId{1000}), now);
  REQUIRE(pop_id(queue, now) == 1);
  // It has had more above NORMAL than it may.
  now += 2100ms;
  queue.finished(2100ms, now);
  queue.push(request(1, 2, 300, UserId{1000}), now);
  for (std::uint64_t id = 10; id < 13; ++id) queue.push(request(2, id, 290, UserId{0}), now);
  REQUIRE(pop_id(queue, now) == 10);
  // Nothing of its own happens meanwhile.
  if (by_time) {
    now += 500ms;
  } else {
    queue.set_high_share(100);
  }
  REQUIRE(pop_id(queue, now) == 2);
  REQUIRE(pop_id(queue, now) == 11);
}

TEST_CASE("an account's level follows what it has left", "[sched][queue]") {
  RunQueue queue;
  queue.push(request(1, 1, 300), kStart);
  queue.push(request(1, 2, 100), kStart);
  queue.push(request(2, 3, 200, UserId{1000}), kStart);
  REQUIRE(pop_id(queue, kStart) == 1);
  REQUIRE(pop_id(queue, kStart) == 3);
  queue.push(request(1, 4, 300), kStart);
  queue.push(request(2, 5, 200, UserId{1000}), kStart);
  REQUIRE(queue.remove(ContextId{1}, RequestId{4}).size() == 1);
  REQUIRE(pop_id(queue, kStart) == 5);
  REQUIRE(pop_id(queue, kStart) == 2);
}

TEST_CASE("accounts that have gone are forgotten", "[sched][queue]") {
  RunQueue queue;
  TimePoint now = kStart;
  for (std::uint32_t uid = 1; uid <= 10'000; ++uid) {
    queue.push(request(uid, uid, 300, UserId{uid}), now);
    REQUIRE(pop_id(queue, now) == uid);
    queue.finished(1ms, now);
    now += 1s;
  }
  CHECK(queue.credit().shares.size() < 200);
}

TEST_CASE("a restart gives nobody a new start", "[sched][queue]") {
  const auto command = [](std::uint32_t uid) {
    return test::client_command({.user = UserId{uid}, .context = ContextId{uid}});
  };
  RunQueue before;
  before.push(command(1), TimePoint{});
  before.push(command(2), TimePoint{});
  const SharedCommand first = before.pop(TimePoint{});
  before.finished(std::chrono::seconds(3), TimePoint{} + std::chrono::seconds(3));
  const ContextId greedy = first->context();

  RunQueue after;
  after.restore(before.credit());
  const TimePoint now = TimePoint{} + std::chrono::seconds(4);
  for (const std::uint32_t uid : {1U, 2U}) {
    for (int i = 0; i < 3; ++i) after.push(command(uid), now);
  }
  for (int turn = 0; turn < 3; ++turn) {
    CHECK(after.pop(now)->context() != greedy);
    after.finished(std::chrono::milliseconds(10), now);
  }
}
