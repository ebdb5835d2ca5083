#include "daemon/sched/run_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/sched/ageing.h"

namespace tbs::sched {
namespace {

// Contexts in whose commands one choice looks: bounds the work for a queue of thousands.
constexpr std::size_t kMaxLookedAt = 256;

// How much more time than the one in front an account or context may have had that overtakes it:
// that of its swap, of its commands within a slice, and of the long one that may be the last of
// them.
Duration most_ahead(Duration slice) {
  return std::max<Duration>(4 * slice, std::chrono::seconds{1});
}

}  // namespace

void RunQueue::push(SharedCommand command, TimePoint now) {
  if (aside_.contains(command->context())) {
    aside_.append(std::move(command), now);
  } else {
    enter({.command = std::move(command), .since = now}, now);
  }
}

void RunQueue::enter(AccountQueue::Waiting waiting, TimePoint now) {
  const Requester& requester = waiting.command->requester();
  Entry& entry = *accounts_.try_emplace(requester.account).first;
  Account& account = entry.second;
  account.administrator = requester.is_administrator();
  unsettle(entry);
  if (account.queue.empty()) account.since = waiting.since;
  account.queue.push(std::move(waiting), now);
  ++in_line_;
}

void RunQueue::come_back(TimePoint now) {
  for (AccountQueue::Waiting& waiting : aside_.take_due(now)) enter(std::move(waiting), now);
}

// `first` comes before what the context has in line.
void RunQueue::set_aside(AccountId id, ContextId context, TimePoint until,
                         std::optional<AccountQueue::Waiting> first, TimePoint now) {
  Entry& entry = *accounts_.try_emplace(id).first;
  Account& account = entry.second;
  std::vector<AccountQueue::Waiting> waiting = account.queue.take_out(context);
  in_line_ -= waiting.size();
  if (first) waiting.insert(waiting.begin(), *std::move(first));
  aside_.add(context, until, std::move(waiting));
  unsettle(entry);
  place(id, account, now);
}

// The level and the account of the command that has just left the TPM were being served until now.
void RunQueue::note_served(TimePoint now) {
  if (!last_account_) return;
  const auto level = levels_.find(last_level_);
  if (level != levels_.end()) level->second.served = now;
  const auto account = accounts_.find(*last_account_);
  if (account != accounts_.end()) account->second.queue.served_until(now);
}

SharedCommand RunQueue::pop(TimePoint now, Duration slice, const Loaded& loaded, const Held& held) {
  note_served(now);
  come_back(now);
  if (in_line_ == 0) return nullptr;
  arrange(now);
  while (in_line_ != 0) {
    const auto level = choose(now);
    const Turn turn = choose_turn(level->second, now, slice, loaded);
    const auto until = held ? held(turn.level->front_of(turn.context)) : std::nullopt;
    if (!until) return take(level, turn, now);
    set_aside(turn.account, turn.context, *until, std::nullopt, now);
  }
  return nullptr;
}

SharedCommand RunQueue::take(Levels::iterator level, const Turn& turn, TimePoint now) {
  level->second.served = now;
  last_level_ = level->first;
  last_account_ = turn.account;
  level->second.turns.serve(turn.account);
  Entry& entry = *accounts_.find(turn.account);
  Account& account = entry.second;
  AccountQueue::Waiting taken = account.queue.take(*turn.level, turn.context, now);
  last_waited_ = now - taken.since;
  last_ = {.context = turn.context,
           .request = taken.command->request(),
           .since = taken.since,
           .pauses = taken.pauses};
  account.since = now;
  unsettle(entry);
  if (account.queue.empty()) leave_level(turn.account, account);
  --in_line_;
  return std::move(taken.command);
}

// One that was under way in the process before this one was never popped.
bool RunQueue::put_back(SharedCommand command, std::chrono::milliseconds patience, TimePoint now) {
  const ContextId context = command->context();
  const AccountId account = command->requester().account;
  AccountQueue::Waiting again{
      .command = std::move(command), .since = now, .pauses = exec::Backoff(patience)};
  if (last_.context == context && last_.request == again.command->request()) {
    again.since = last_.since;
    if (last_.pauses) again.pauses = last_.pauses;
  }
  const auto pause = again.pauses->next();
  if (!pause) return false;
  set_aside(account, context, now + *pause, std::move(again), now);
  return true;
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
    unsettle(*entry);
  }
  const auto level = levels_.find(last_level_);
  if (level != levels_.end()) level->second.turns.charge(*last_account_, took);
}

std::vector<SharedCommand> RunQueue::remove(ContextId context, std::optional<RequestId> only) {
  if (aside_.contains(context)) return aside_.remove(context, only);
  std::vector<SharedCommand> removed;
  for (Entry& entry : accounts_) {
    auto& [id, account] = entry;
    if (account.queue.empty()) continue;
    std::ranges::move(account.queue.remove(context, only), std::back_inserter(removed));
    unsettle(entry);
    if (account.queue.empty()) leave_level(id, account);
  }
  in_line_ -= removed.size();
  return removed;
}

std::vector<SharedCommand> RunQueue::clear() {
  std::vector<SharedCommand> removed = aside_.clear();
  for (auto& [id, account] : accounts_)
    std::ranges::move(account.queue.clear(), std::back_inserter(removed));
  unsettled_.clear();
  accounts_.clear();
  levels_.clear();
  last_account_.reset();
  in_line_ = 0;
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

void RunQueue::set_high_share(unsigned percent) {
  high_share_ = percent;
  for (Entry& entry : accounts_) unsettle(entry);
}

// Puts every account that has something waiting into the level where it belongs now.
void RunQueue::arrange(TimePoint now) {
  std::erase_if(unsettled_, [&](Entry* entry) { return settle(*entry, now); });
  if (accounts_.size() > bound_) forget_some(now);
  drop_empty_levels(levels_, now);
}

void RunQueue::unsettle(Entry& entry) {
  if (!std::exchange(entry.second.unsettled, true)) unsettled_.push_back(&entry);
}

// False when time alone may make its level another one: its share above NORMAL fills up.
bool RunQueue::settle(Entry& entry, TimePoint now) {
  auto& [id, account] = entry;
  place(id, account, now);
  if (account.level && *account.level != account.queue.top()) return false;
  account.unsettled = false;
  return true;
}

// Those of whom nothing is left to be remembered.
void RunQueue::forget_some(TimePoint now) {
  for (auto entry = accounts_.begin(); entry != accounts_.end();) {
    auto& [id, account] = *entry;
    const bool forgotten = account.queue.empty() && !account.unsettled && id != last_account_ &&
                           account.queue.forgotten(now) &&
                           account.high_share.full(now, high_share_);
    entry = forgotten ? accounts_.erase(entry) : std::next(entry);
  }
  bound_ = std::max(kLeastBound, accounts_.size() * 2);
}

void RunQueue::place(AccountId id, Account& account, TimePoint now) {
  if (account.queue.empty()) return leave_level(id, account);
  const std::uint32_t priority = priority_of(account, now);
  if (account.level != priority) move_to(priority, id, account);
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

std::uint32_t RunQueue::counted(AccountId account, std::uint32_t priority, TimePoint now) const {
  const auto entry = accounts_.find(account);
  return entry == accounts_.end() ? priority : counted(entry->second, priority, now);
}

std::optional<WaitingView> RunQueue::waiting_of(AccountId account, ContextId context,
                                                TimePoint now) const {
  std::optional<AccountQueue::OfContext> waiting = aside_.waiting_of(context);
  if (!waiting) {
    const auto entry = accounts_.find(account);
    if (entry != accounts_.end()) waiting = entry->second.queue.waiting_of(context);
  }
  if (!waiting) return std::nullopt;
  return WaitingView{.since = waiting->since,
                     .priority = waiting->priority,
                     .counts_as = counted(account, waiting->priority, now)};
}

std::uint32_t RunQueue::highest(TimePoint now) const {
  std::uint32_t highest = 0;
  for (const auto& [id, account] : accounts_) {
    if (!account.queue.empty()) highest = std::max(highest, priority_of(account, now));
  }
  aside_.for_each([&](const ClientCommand& command) {
    const AccountId account = command.requester().account;
    highest = std::max(highest, counted(account, command.priority(), now));
  });
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
    if (const auto turn = loaded_turn(level, slice, loaded)) return *turn;
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

// Not of an account, or of a context within it, that is far ahead of others: one that never needs
// anything loaded would be preferred again and again, however long its commands take.
std::optional<RunQueue::Turn> RunQueue::loaded_turn(const Level& level, Duration slice,
                                                    const Loaded& loaded) {
  std::size_t looked_at = 0;
  const Duration most = level.turns.order().front().virtual_time + most_ahead(slice);
  for (const auto& place : level.turns.order()) {
    if (place.virtual_time > most) return std::nullopt;
    AccountQueue::Level& own = accounts_.at(place.id).queue.due();
    const Duration most_of_own = own.turns.order().front().virtual_time + most_ahead(slice);
    for (const auto& turn : own.turns.order()) {
      if (turn.virtual_time > most_of_own) break;
      if (++looked_at > kMaxLookedAt) return std::nullopt;
      if (loaded(own.front_of(turn.id))) return Turn{place.id, &own, turn.id};
    }
  }
  return std::nullopt;
}

}  // namespace tbs::sched
