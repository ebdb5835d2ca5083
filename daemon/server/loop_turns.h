#pragma once

// Whose turn of the event loop is next. The loop is shared evenly between accounts by the time that
// their turns take, whatever they ask for and however many connections they have: the account with
// the least time so far is next, and among its own connections the one that has waited longest.
// What administrators do is charged at a fraction, so that they have a part of the loop however
// many others there are.

#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include "daemon/base/clock.h"
#include "daemon/base/ids.h"
#include "daemon/sched/fair_turns.h"

namespace tbs::server {

// `Taker` is whoever takes turns.
template <typename Taker>
class LoopTurns {
 public:
  struct Turn {
    AccountId account;
    Taker taker;
  };

  void wait(AccountId account, Taker taker) {
    auto& waiting = waiting_[account];
    if (waiting.empty()) accounts_.join(account);
    waiting.push_back(std::move(taker));
  }

  // Nothing when nobody waits. What the turn took is charged afterwards.
  std::optional<Turn> next() {
    if (accounts_.empty()) return std::nullopt;
    const AccountId account = accounts_.next();
    accounts_.serve(account);
    const auto entry = waiting_.find(account);
    Turn turn{.account = account, .taker = std::move(entry->second.front())};
    entry->second.pop_front();
    if (entry->second.empty()) {
      waiting_.erase(entry);
      accounts_.leave(account);
    }
    return turn;
  }

  void charge(AccountId account, Duration took) {
    accounts_.charge(account, is_administrators(account) ? took / kAdministratorsWeight : took);
  }

  [[nodiscard]] bool empty() const { return accounts_.empty(); }

 private:
  static constexpr int kAdministratorsWeight = 8;

  std::unordered_map<AccountId, std::deque<Taker>> waiting_;  // none is empty
  sched::FairTurns<AccountId> accounts_;
};

}  // namespace tbs::server
