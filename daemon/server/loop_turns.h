#pragma once

// Whose turn of the event loop is next. The loop is shared evenly between accounts by the time that
// their turns take, whatever they ask for and however many connections they have: the account with
// the least time so far is next, and among its own connections the one that has waited longest.
// What administrators do is charged at a fraction, so that they have a part of the loop however
// many others there are.
//
// Nor does one account keep the loop busy alone: past its allowance (allowance.h) it is held back,
// though nobody else waits. Else it would keep a processor busy, which others need to wake up on.

#include <deque>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "daemon/base/clock.h"
#include "daemon/base/ids.h"
#include "daemon/sched/fair_turns.h"
#include "daemon/server/allowance.h"

namespace tbs::server {

// `Taker` is whoever takes turns.
template <typename Taker>
class LoopTurns {
 public:
  struct Turn {
    AccountId account;
    Taker taker;
  };

  void wait(AccountId account, Taker taker, TimePoint now) {
    Waiting& waiting = waiting_[account];
    if (waiting.empty()) line_up(account, now);
    waiting.push_back(std::move(taker));
  }

  // Nothing when nobody may have one now. What the turn took is charged afterwards.
  std::optional<Turn> next(TimePoint now) {
    release(now);
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

  void charge(AccountId account, Duration took, TimePoint now) {
    const bool administrators = is_administrators(account);
    accounts_.charge(account, administrators ? took / kAdministratorsWeight : took);
    if (administrators) return;
    allowance_.spend(account, took, now);
    const auto free = allowance_.free_at(account, now);
    if (!free || !accounts_.contains(account)) return;
    accounts_.leave(account);
    held_.emplace(*free, account);
  }

  // Whether the account may have a turn that nobody else waits for.
  [[nodiscard]] bool may_have(AccountId account, TimePoint now) const {
    return accounts_.empty() && !allowance_.free_at(account, now);
  }
  // Whether somebody waits who is not held back.
  [[nodiscard]] bool empty() const { return accounts_.empty(); }
  // When the first of those who are held back may go on.
  [[nodiscard]] std::optional<TimePoint> next_release() const {
    return held_.empty() ? std::nullopt : std::optional(held_.begin()->first);
  }

 private:
  using Waiting = std::deque<Taker>;

  static constexpr int kAdministratorsWeight = 8;
  // Accounts whose queue is kept though nothing waits, because they come again and again.
  static constexpr std::size_t kKept = 64;

  void line_up(AccountId account, TimePoint now) {
    if (const auto free = allowance_.free_at(account, now)) {
      held_.emplace(*free, account);
    } else {
      accounts_.join(account);
    }
  }

  void release(TimePoint now) {
    while (!held_.empty() && held_.begin()->first <= now) {
      accounts_.join(held_.begin()->second);
      held_.erase(held_.begin());
    }
  }

  std::unordered_map<AccountId, Waiting> waiting_;
  sched::FairTurns<AccountId> accounts_;
  Allowance allowance_;
  std::set<std::pair<TimePoint, AccountId>> held_;  // each that waits is in one of the two
};

}  // namespace tbs::server
