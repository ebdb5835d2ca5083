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

void RunQueue::push(Request request, TimePoint now) {
  owners_[request.context] = request.user;
  User& user = users_[request.user];
  user.administrator = request.administrator;
  if (user.queue.empty()) user.since = now;
  user.queue.push(std::move(request), now);
  ++size_;
}

std::optional<Request> RunQueue::pop(TimePoint now, Duration slice, const Loaded& loaded) {
  // The level and the user of the command that has just left the TPM were being served until now.
  if (last_user_) {
    const auto level = levels_.find(last_level_);
    if (level != levels_.end()) level->second.served = now;
    const auto user = users_.find(*last_user_);
    if (user != users_.end()) user->second.queue.served_until(now);
  }
  if (empty()) return std::nullopt;
  arrange(now);

  const auto level = choose(now);
  level->second.served = now;
  last_level_ = level->first;
  const Turn turn = choose_turn(level->second, now, slice, loaded);
  last_user_ = turn.user;
  level->second.turns.serve(turn.user);
  User& user = users_.at(turn.user);
  Request request = user.queue.take(*turn.level, turn.context, now);
  user.since = now;
  if (user.queue.empty()) leave_level(turn.user, user);
  --size_;
  return request;
}

void RunQueue::finished(Duration took, TimePoint now) {
  if (!last_user_) return;
  const auto entry = users_.find(*last_user_);
  if (entry == users_.end()) return;
  User& user = entry->second;
  took = std::max<Duration>(took, kLeastCharge);
  user.queue.charge(took);
  if (!user.administrator && last_level_ > kPriorityNormal) {
    user.high_share.spend(took, now, high_share_);
  }
  const auto level = levels_.find(last_level_);
  if (level != levels_.end()) level->second.turns.charge(*last_user_, took);
}

std::vector<Request> RunQueue::remove(ContextId context) {
  const auto owner = owners_.find(context);
  if (owner == owners_.end()) return {};
  const UserId id = owner->second;
  owners_.erase(owner);
  const auto entry = users_.find(id);
  if (entry == users_.end()) return {};
  auto removed = entry->second.queue.remove(context);
  if (entry->second.queue.empty()) leave_level(id, entry->second);
  size_ -= removed.size();
  return removed;
}

std::vector<Request> RunQueue::clear() {
  std::vector<Request> removed;
  for (auto& [id, user] : users_)
    std::ranges::move(user.queue.clear(), std::back_inserter(removed));
  users_.clear();
  levels_.clear();
  owners_.clear();
  last_user_.reset();
  size_ = 0;
  return removed;
}

// Puts every user who has something waiting into the level where it belongs now, and forgets those
// of whom nothing is left to be remembered.
void RunQueue::arrange(TimePoint now) {
  for (auto entry = users_.begin(); entry != users_.end();) {
    auto& [id, user] = *entry;
    if (!user.queue.empty()) {
      const std::uint32_t priority = priority_of(user, now);
      if (user.level != priority) move_to(priority, id, user);
    } else if (user.queue.forgotten(now) && user.high_share.full(now, high_share_) &&
               id != last_user_) {
      entry = users_.erase(entry);
      continue;
    }
    ++entry;
  }
  drop_empty_levels(levels_, now);
}

void RunQueue::move_to(std::uint32_t priority, UserId id, User& user) {
  leave_level(id, user);
  Level& level = levels_[priority];
  level.priority = priority;
  if (level.turns.empty()) {
    level.served = user.since;
    level.passed_over.reset();
  }
  level.turns.join(id);
  user.level = priority;
}

void RunQueue::leave_level(UserId id, User& user) {
  if (!user.level) return;
  levels_.at(*user.level).turns.leave(id);
  user.level.reset();
}

std::uint32_t RunQueue::priority_of(const User& user, TimePoint now) const {
  const std::uint32_t top = user.queue.top();
  const bool honoured = user.administrator || user.high_share.available(now, high_share_);
  return honoured ? top : std::min(top, kPriorityNormal);
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
  const UserId user = lifted ? level.turns.longest_waiting() : level.turns.next();
  UserQueue& queue = users_.at(user).queue;
  UserQueue::Level& own = queue.due();
  return {user, &own, queue.next_in(own)};
}

std::optional<RunQueue::Turn> RunQueue::loaded_turn(const Level& level, const Loaded& loaded) {
  std::size_t looked_at = 0;
  for (const auto& place : level.turns.order()) {
    UserQueue::Level& own = users_.at(place.id).queue.due();
    for (const auto& turn : own.turns.order()) {
      if (++looked_at > kMaxLookedAt) return std::nullopt;
      if (loaded(own.front_of(turn.id))) return Turn{place.id, &own, turn.id};
    }
  }
  return std::nullopt;
}

}  // namespace tbs::sched
