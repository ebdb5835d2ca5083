#include "daemon/server/loop_turns.h"

#include <map>

#include <catch2/catch.hpp>

using namespace tbs;
using namespace std::chrono_literals;

namespace {

using Turns = server::LoopTurns<int>;

constexpr AccountId kFlooder = account_of(UserId{1000});
constexpr AccountId kVictim = account_of(UserId{1001});
constexpr AccountId kAdministrator = administrators_account(UserId{0});

// Everybody wants to go on; what each got of so many turns of `cost` each.
std::map<AccountId, int> shares(Turns& turns, int count,
                                const std::map<AccountId, Duration>& cost) {
  std::map<AccountId, int> given;
  for (int i = 0; i < count; ++i) {
    const auto turn = turns.next();
    REQUIRE(turn);
    ++given[turn->account];
    turns.charge(turn->account, cost.at(turn->account));
    turns.wait(turn->account, turn->taker);
  }
  return given;
}

}  // namespace

TEST_CASE("nobody waits, nobody has a turn", "[server][loop_turns]") {
  Turns turns;
  CHECK(turns.empty());
  CHECK_FALSE(turns.next());
}

TEST_CASE("an account's own links take turns", "[server][loop_turns]") {
  Turns turns;
  for (const int link : {1, 2, 3}) turns.wait(kFlooder, link);
  CHECK(turns.next()->taker == 1);
  turns.wait(kFlooder, 1);
  CHECK(turns.next()->taker == 2);
  CHECK(turns.next()->taker == 3);
  CHECK(turns.next()->taker == 1);
  CHECK(turns.empty());
}

TEST_CASE("accounts share the loop, however many links they have", "[server][loop_turns]") {
  Turns turns;
  for (int link = 0; link < 500; ++link) turns.wait(kFlooder, link);
  turns.wait(kVictim, 1000);
  const auto given = shares(turns, 1000, {{kFlooder, 10us}, {kVictim, 10us}});
  CHECK(given.at(kVictim) >= 499);
}

TEST_CASE("it is time that is shared, not turns", "[server][loop_turns]") {
  Turns turns;
  turns.wait(kFlooder, 1);
  turns.wait(kVictim, 2);
  const auto given = shares(turns, 1100, {{kFlooder, 100us}, {kVictim, 10us}});
  CHECK(given.at(kVictim) >= 10 * given.at(kFlooder) - 20);
}

TEST_CASE("who comes now and then is next at once", "[server][loop_turns]") {
  Turns turns;
  for (int link = 0; link < 500; ++link) turns.wait(kFlooder, link);
  for (int i = 0; i < 100; ++i) {
    shares(turns, 50, {{kFlooder, 20us}});
    turns.wait(kVictim, 1000);
    const auto turn = turns.next();
    CHECK(turn->account == kVictim);
    turns.charge(kVictim, 20us);
  }
}

TEST_CASE("administrators have a part of the loop, however many others there are",
          "[server][loop_turns]") {
  Turns turns;
  std::map<AccountId, Duration> cost = {{kAdministrator, 10us}};
  for (std::uint32_t user = 1; user <= 16; ++user) {
    turns.wait(account_of(UserId{user}), 0);
    cost[account_of(UserId{user})] = 10us;
  }
  turns.wait(kAdministrator, 1);
  const auto given = shares(turns, 2400, cost);
  CHECK(given.at(kAdministrator) >= 780);
}
