#include "daemon/server/loop_turns.h"

#include <map>
#include <optional>

#include "tests/support/catch2.h"

using namespace tbs;
using namespace std::chrono_literals;

namespace {

using Turns = server::LoopTurns<int>;

constexpr AccountId kFlooder = account_of(UserId{1000});
constexpr AccountId kVictim = account_of(UserId{1001});
constexpr AccountId kAdministrator = administrators_account(UserId{0});

// A loop that has so much else to do that no account comes near its allowance.
class Bench {
 public:
  void wait(AccountId account, int link) { turns.wait(account, link, now); }
  std::optional<Turns::Turn> next() { return turns.next(now); }
  void charge(AccountId account, Duration took) {
    turns.charge(account, took, now);
    now += 10 * took;
  }

  // Everybody wants to go on; what each got of so many turns of `cost` each.
  std::map<AccountId, int> shares(int count, const std::map<AccountId, Duration>& cost) {
    std::map<AccountId, int> given;
    for (int i = 0; i < count; ++i) {
      const auto turn = next();
      REQUIRE(turn);
      ++given[turn->account];
      charge(turn->account, cost.at(turn->account));
      wait(turn->account, turn->taker);
    }
    return given;
  }

  Turns turns;
  TimePoint now{1h};
};

// A loop that has nothing else to do: what each got of its time, and how long it was idle.
struct Busy {
  std::map<AccountId, Duration> had;
  Duration idle{};
};
Busy keep_busy(Turns& turns, Duration time, Duration cost) {
  Busy busy;
  const TimePoint start{1h};
  for (TimePoint now = start; now < start + time;) {
    const auto turn = turns.next(now);
    if (!turn) {
      const auto when = turns.next_release();
      REQUIRE(when);
      busy.idle += *when - now;
      now = *when;
      continue;
    }
    now += cost;
    busy.had[turn->account] += cost;
    turns.charge(turn->account, cost, now);
    turns.wait(turn->account, turn->taker, now);
  }
  return busy;
}

}  // namespace

TEST_CASE("nobody waits, nobody has a turn", "[server][loop_turns]") {
  Bench turns;
  CHECK(turns.turns.empty());
  CHECK_FALSE(turns.next());
  CHECK_FALSE(turns.turns.next_release());
}

TEST_CASE("an account's own links take turns", "[server][loop_turns]") {
  Bench turns;
  for (const int link : {1, 2, 3}) turns.wait(kFlooder, link);
  CHECK(turns.next()->taker == 1);
  turns.wait(kFlooder, 1);
  CHECK(turns.next()->taker == 2);
  CHECK(turns.next()->taker == 3);
  CHECK(turns.next()->taker == 1);
  CHECK(turns.turns.empty());
}

TEST_CASE("accounts share the loop, however many links they have", "[server][loop_turns]") {
  Bench turns;
  for (int link = 0; link < 500; ++link) turns.wait(kFlooder, link);
  turns.wait(kVictim, 1000);
  const auto given = turns.shares(1000, {{kFlooder, 10us}, {kVictim, 10us}});
  CHECK(given.at(kVictim) >= 499);
}

TEST_CASE("it is time that is shared, not turns", "[server][loop_turns]") {
  Bench turns;
  turns.wait(kFlooder, 1);
  turns.wait(kVictim, 2);
  const auto given = turns.shares(1100, {{kFlooder, 100us}, {kVictim, 10us}});
  CHECK(given.at(kVictim) >= 10 * given.at(kFlooder) - 20);
}

TEST_CASE("who comes now and then is next at once", "[server][loop_turns]") {
  Bench turns;
  for (int link = 0; link < 500; ++link) turns.wait(kFlooder, link);
  for (int i = 0; i < 100; ++i) {
    turns.shares(50, {{kFlooder, 20us}});
    turns.wait(kVictim, 1000);
    const auto turn = turns.next();
    CHECK(turn->account == kVictim);
    turns.charge(kVictim, 20us);
  }
}

TEST_CASE("administrators have a part of the loop, however many others there are",
          "[server][loop_turns]") {
  Bench turns;
  std::map<AccountId, Duration> cost = {{kAdministrator, 10us}};
  for (std::uint32_t user = 1; user <= 16; ++user) {
    turns.wait(account_of(UserId{user}), 0);
    cost[account_of(UserId{user})] = 10us;
  }
  turns.wait(kAdministrator, 1);
  const auto given = turns.shares(2400, cost);
  CHECK(given.at(kAdministrator) >= 780);
}

TEST_CASE("one account alone has a part of the loop, and the processor rests",
          "[server][loop_turns]") {
  Turns turns;
  for (int link = 0; link < 500; ++link) turns.wait(kFlooder, link, TimePoint{1h});
  const Busy busy = keep_busy(turns, 1s, 50us);
  CHECK(busy.had.at(kFlooder) > 490ms);
  CHECK(busy.had.at(kFlooder) < 510ms);
  CHECK(busy.idle > 490ms);
}

TEST_CASE("what is asked now and then is given at once", "[server][loop_turns]") {
  Turns turns;
  TimePoint now{1h};
  for (int listing = 0; listing < 100; ++listing, now += 10ms) {
    CHECK(turns.may_have(kFlooder, now));
    turns.charge(kFlooder, 2ms, now);
  }
  turns.charge(kFlooder, 2ms, now);
  turns.charge(kFlooder, 1ms, now);
  CHECK_FALSE(turns.may_have(kFlooder, now));
  CHECK(turns.may_have(kFlooder, now + 10ms));
}

TEST_CASE("who is held back holds up nobody", "[server][loop_turns]") {
  Turns turns;
  const TimePoint now{1h};
  turns.charge(kFlooder, 20ms, now);
  turns.wait(kFlooder, 1, now);
  CHECK(turns.empty());
  CHECK(turns.may_have(kVictim, now));
  turns.wait(kVictim, 2, now);
  CHECK(turns.next(now)->taker == 2);
  CHECK_FALSE(turns.next(now));
  const auto when = turns.next_release();
  REQUIRE(when);
  CHECK(*when == now + 36ms);
  CHECK(turns.next(*when)->taker == 1);
}

TEST_CASE("who is held back does not lose its place among its own links", "[server][loop_turns]") {
  Turns turns;
  const TimePoint now{1h};
  turns.wait(kFlooder, 1, now);
  turns.wait(kFlooder, 2, now);
  CHECK(turns.next(now)->taker == 1);
  turns.charge(kFlooder, 20ms, now);
  turns.wait(kFlooder, 1, now);
  CHECK_FALSE(turns.next(now));
  CHECK(turns.next(now + 1s)->taker == 2);
  CHECK(turns.next(now + 1s)->taker == 1);
  CHECK_FALSE(turns.next_release());
}

TEST_CASE("administrators are not held back", "[server][loop_turns]") {
  Turns turns;
  turns.wait(kAdministrator, 1, TimePoint{1h});
  CHECK(keep_busy(turns, 1s, 50us).idle == 0s);
}

TEST_CASE("many accounts together have all of the loop", "[server][loop_turns]") {
  Turns turns;
  for (std::uint32_t user = 1; user <= 8; ++user) {
    turns.wait(account_of(UserId{user}), 0, TimePoint{1h});
  }
  const Busy busy = keep_busy(turns, 1s, 50us);
  CHECK(busy.idle == 0s);
  for (const auto& [account, had] : busy.had) CHECK(had > 120ms);
}
