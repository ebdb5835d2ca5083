#include "daemon/sched/user_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/sched/ageing.h"

namespace tbs::sched {

void UserQueue::push(Request request, TimePoint now) {
  drop_empty_levels(levels_, now);
  const auto [entry, created] = levels_.try_emplace(request.priority);
  Level& level = entry->second;
  if (created) level.priority = request.priority;
  if (level.turns.empty()) level.served = now;
  auto& waiting = level.waiting[request.context];
  if (waiting.empty()) level.turns.join(request.context);
  waiting.push_back(std::move(request));
  ++size_;
}

// Levels are passed over while another one has the user's turn, not while other users have theirs.
UserQueue::Level& UserQueue::due() {
  AgeingChoice<Levels::iterator> choice;
  for (auto level = levels_.begin(); level != levels_.end(); ++level) {
    if (level->second.turns.empty()) continue;
    const Duration passed_over =
        last_served_ ? *last_served_ - level->second.served : Duration::zero();
    choice.offer(level, level->first, std::max(passed_over, Duration::zero()));
  }
  return choice.chosen()->second;
}

Request UserQueue::take(Level& level, ContextId context, TimePoint now) {
  level.served = now;
  last_served_ = now;
  last_priority_ = level.priority;
  last_context_ = context;
  level.turns.serve(context);
  auto& own = level.waiting.at(context);
  Request request = std::move(own.front());
  own.pop_front();
  --size_;
  if (own.empty()) leave(level, context);
  return request;
}

void UserQueue::served_until(TimePoint now) {
  last_served_ = now;
  const auto level = levels_.find(last_priority_);
  if (level != levels_.end()) level->second.served = now;
}

void UserQueue::charge(Duration took) {
  const auto level = levels_.find(last_priority_);
  if (level != levels_.end()) level->second.turns.charge(last_context_, took);
}

std::vector<Request> UserQueue::remove(ContextId context) {
  std::vector<Request> removed;
  for (auto& [priority, level] : levels_) {
    const auto own = level.waiting.find(context);
    if (own == level.waiting.end()) continue;
    std::ranges::move(own->second, std::back_inserter(removed));
    leave(level, context);
  }
  size_ -= removed.size();
  return removed;
}

std::vector<Request> UserQueue::clear() {
  std::vector<Request> removed;
  for (auto& [priority, level] : levels_) {
    for (auto& [context, waiting] : level.waiting) {
      std::ranges::move(waiting, std::back_inserter(removed));
    }
  }
  levels_.clear();
  size_ = 0;
  return removed;
}

std::uint32_t UserQueue::top() const {
  const auto waits = [](const auto& level) { return !level.second.turns.empty(); };
  return std::find_if(levels_.rbegin(), levels_.rend(), waits)->first;
}

bool UserQueue::forgotten(TimePoint now) {
  drop_empty_levels(levels_, now);
  return levels_.empty();
}

void UserQueue::leave(Level& level, ContextId context) {
  level.turns.leave(context);
  level.waiting.erase(context);
}

}  // namespace tbs::sched
