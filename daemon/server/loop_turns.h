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
    Waiting& waiting = waiting_[account];
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
      accounts_.leave(account);
      if (waiting_.size() > kKept) waiting_.erase(entry);
    }
    return turn;
  }

  void charge(AccountId account, Duration took) {
    accounts_.charge(account, is_administrators(account) ? took / kAdministratorsWeight : took);
  }

  [[nodiscard]] bool empty() const { return accounts_.empty(); }

 private:
  using Waiting = std::deque<Taker>;

  static constexpr int kAdministratorsWeight = 8;
  // Accounts whose queue is kept though nothing waits, because they come again and again.
  static constexpr std::size_t kKept = 64;

  std::unordered_map<AccountId, Waiting> waiting_;
  sched::FairTurns<AccountId> accounts_;
};

}  // namespace tbs::server
