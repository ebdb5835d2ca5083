#include "daemon/sched/run_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/sched/ageing.h"

namespace tbs::sched {
namespace {

// Contexts in whose commands one choice looks: bounds the work for a queue of thousands.
constexpr std::size_t kMaxLookedAt = 256;

}  // namespace

void RunQueue::push(SharedCommand command, TimePoint now) {
  const Requester& requester = command->requester();
  Account& account = accounts_[requester.account];
  account.administrator = requester.is_administrator();
  if (account.queue.empty()) account.since = now;
  account.queue.push(std::move(command), now);
  ++size_;
}

SharedCommand RunQueue::pop(TimePoint now, Duration slice, const Loaded& loaded) {
  // The level and the account of the command that has just left the TPM were being served until
  // now.
  if (last_account_) {
    const auto level = levels_.find(last_level_);
    if (level != levels_.end()) level->second.served = now;
    const auto account = accounts_.find(*last_account_);
    if (account != accounts_.end()) account->second.queue.served_until(now);
  }
  if (empty()) return nullptr;
  arrange(now);

  const auto level = choose(now);
  level->second.served = now;
  last_level_ = level->first;
  const Turn turn = choose_turn(level->second, now, slice, loaded);
  last_account_ = turn.account;
  level->second.turns.serve(turn.account);
  Account& account = accounts_.at(turn.account);
  AccountQueue::Waiting taken = account.queue.take(*turn.level, turn.context, now);
  last_waited_ = now - taken.since;
  account.since = now;
  if (account.queue.empty()) leave_level(turn.account, account);
  --size_;
  return std::move(taken.command);
}

void RunQueue::finished(Duration took, TimePoint now) {
  if (!last_account_) return;
  const auto entry = accounts_.find(*last_account_);
  if (entry == accounts_.end()) return;
  Account& account = entry->second;
  took = std::max<Duration>(took, kLeastCharge);
  account.queue.charge(took);
  if (!account.administrator && last_level_ > kPriorityNormal) {
    account.high_share.spend(took, now, high_share_);
  }
  const auto level = levels_.find(last_level_);
  if (level != levels_.end()) level->second.turns.charge(*last_account_, took);
}

std::vector<SharedCommand> RunQueue::remove(ContextId context, std::optional<RequestId> only) {
  std::vector<SharedCommand> removed;
  for (auto& [id, account] : accounts_) {
    if (account.queue.empty()) continue;
    std::ranges::move(account.queue.remove(context, only), std::back_inserter(removed));
    if (account.queue.empty()) leave_level(id, account);
  }
  size_ -= removed.size();
  return removed;
}

std::vector<SharedCommand> RunQueue::clear() {
  std::vector<SharedCommand> removed;
  for (auto& [id, account] : accounts_)
    std::ranges::move(account.queue.clear(), std::back_inserter(removed));
  accounts_.clear();
  levels_.clear();
  last_account_.reset();
  size_ = 0;
  return removed;
}

QueueCredit RunQueue::credit() const {
  QueueCredit credit;
  for (const auto& [priority, level] : levels_) {
    level.turns.for_each_lead([&, level_priority = priority](AccountId account, Duration time) {
      credit.leads.push_back({.level = level_priority, .account = account, .time = time});
    });
  }
  for (const auto& [id, account] : accounts_) {
    credit.shares.push_back({.account = id, .share = account.high_share});
  }
  return credit;
}

void RunQueue::restore(const QueueCredit& credit) {
  for (const QueueCredit::Lead& lead : credit.leads) {
    Level& level = levels_[lead.level];
    level.priority = lead.level;
    level.turns.set_lead(lead.account, lead.time);
  }
  for (const QueueCredit::Share& one : credit.shares) {
    accounts_[one.account].high_share = one.share;
  }
}

// Puts every account who has something waiting into the level where it belongs now, and forgets
// those of whom nothing is left to be remembered.
void RunQueue::arrange(TimePoint now) {
  for (auto entry = accounts_.begin(); entry != accounts_.end();) {
    auto& [id, account] = *entry;
    if (!account.queue.empty()) {
      const std::uint32_t priority = priority_of(account, now);
      if (account.level != priority) move_to(priority, id, account);
    } else if (account.queue.forgotten(now) && account.high_share.full(now, high_share_) &&
               id != last_account_) {
      entry = accounts_.erase(entry);
      continue;
    }
    ++entry;
  }
  drop_empty_levels(levels_, now);
}

void RunQueue::move_to(std::uint32_t priority, AccountId id, Account& account) {
  leave_level(id, account);
  Level& level = levels_[priority];
  level.priority = priority;
  if (level.turns.empty()) {
    level.served = account.since;
    level.passed_over.reset();
  }
  level.turns.join(id);
  account.level = priority;
}

void RunQueue::leave_level(AccountId id, Account& account) {
  if (!account.level) return;
  levels_.at(*account.level).turns.leave(id);
  account.level.reset();
}

std::uint32_t RunQueue::counted(const Account& account, std::uint32_t priority,
                                TimePoint now) const {
  const bool honoured = account.administrator || account.high_share.available(now, high_share_);
  return honoured ? priority : std::min(priority, kPriorityNormal);
}

std::optional<WaitingView> RunQueue::waiting_of(AccountId account, ContextId context,
                                                TimePoint now) const {
  const auto entry = accounts_.find(account);
  if (entry == accounts_.end()) return std::nullopt;
  const auto waiting = entry->second.queue.waiting_of(context);
  if (!waiting) return std::nullopt;
  return WaitingView{.since = waiting->since,
                     .priority = waiting->priority,
                     .counts_as = counted(entry->second, waiting->priority, now)};
}

std::uint32_t RunQueue::highest(TimePoint now) const {
  std::uint32_t highest = 0;
  for (const auto& [id, account] : accounts_) {
    if (!account.queue.empty()) highest = std::max(highest, priority_of(account, now));
  }
  return highest;
}

RunQueue::Levels::iterator RunQueue::choose(TimePoint now) {
  AgeingChoice<Levels::iterator> choice;
  for (auto level = levels_.begin(); level != levels_.end(); ++level) {
    if (level->second.turns.empty()) continue;
    choice.offer(level, level->first, now - level->second.served);
  }
  return choice.chosen();
}

RunQueue::Turn RunQueue::choose_turn(Level& level, TimePoint now, Duration slice,
                                     const Loaded& loaded) {
  const Turn front = front_of(level);
  if (slice == Duration::zero() || loaded(front.level->front_of(front.context))) {
    level.passed_over.reset();
    return front;
  }
  if (!level.passed_over) level.passed_over = now;
  if (now - *level.passed_over < slice) {
    if (const auto turn = loaded_turn(level, loaded)) return *turn;
  }
  level.passed_over.reset();
  return front;
}

RunQueue::Turn RunQueue::front_of(const Level& level) {
  const bool lifted =
      std::ranges::any_of(levels_.upper_bound(level.priority), levels_.end(),
                          [](const auto& higher) { return !higher.second.turns.empty(); });
  const AccountId account = lifted ? level.turns.longest_waiting() : level.turns.next();
  AccountQueue& queue = accounts_.at(account).queue;
  AccountQueue::Level& own = queue.due();
  return {account, &own, queue.next_in(own)};
}

std::optional<RunQueue::Turn> RunQueue::loaded_turn(const Level& level, const Loaded& loaded) {
  std::size_t looked_at = 0;
  for (const auto& place : level.turns.order()) {
    AccountQueue::Level& own = accounts_.at(place.id).queue.due();
    for (const auto& turn : own.turns.order()) {
      if (++looked_at > kMaxLookedAt) return std::nullopt;
      if (loaded(own.front_of(turn.id))) return Turn{place.id, &own, turn.id};
    }
  }
  return std::nullopt;
}

}  // namespace tbs::sched
