#include "daemon/sched/set_aside.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tbs::sched {

void SetAside::add(ContextId context, TimePoint until, std::vector<Waiting> waiting) {
  size_ += waiting.size();
  next_ = earliest(next_, until);
  contexts_.emplace(context, Entry{.until = until, .waiting = std::move(waiting)});
}

void SetAside::append(SharedCommand command, TimePoint now) {
  contexts_.at(command->context()).waiting.push_back({.command = std::move(command), .since = now});
  ++size_;
}

std::vector<SetAside::Waiting> SetAside::take_due(TimePoint now) {
  if (!next_ || now < *next_) return {};
  std::vector<std::pair<TimePoint, ContextId>> due;
  for (const auto& [context, entry] : contexts_) {
    if (entry.until <= now) due.emplace_back(entry.until, context);
  }
  std::ranges::sort(due);
  std::vector<Waiting> taken;
  for (const auto& [until, context] : due) {
    std::ranges::move(contexts_.at(context).waiting, std::back_inserter(taken));
    contexts_.erase(context);
  }
  size_ -= taken.size();
  find_next();
  return taken;
}

std::vector<SharedCommand> SetAside::remove(ContextId context, std::optional<RequestId> only) {
  std::vector<SharedCommand> removed;
  const auto entry = contexts_.find(context);
  if (entry == contexts_.end()) return removed;
  move_commands(entry->second.waiting, removed, only);
  if (entry->second.waiting.empty()) contexts_.erase(entry);
  size_ -= removed.size();
  return removed;
}

std::vector<SharedCommand> SetAside::clear() {
  std::vector<SharedCommand> removed;
  for (auto& [context, entry] : contexts_) move_commands(entry.waiting, removed);
  *this = {};
  return removed;
}

std::optional<AccountQueue::OfContext> SetAside::waiting_of(ContextId context) const {
  const auto entry = contexts_.find(context);
  if (entry == contexts_.end()) return std::nullopt;
  AccountQueue::OfContext all{.priority = 0, .since = TimePoint::max()};
  for (const Waiting& one : entry->second.waiting) {
    all.priority = std::max(all.priority, one.command->priority());
    all.since = std::min(all.since, one.since);
  }
  return all;
}

void SetAside::find_next() {
  next_.reset();
  for (const auto& [context, entry] : contexts_) next_ = earliest(next_, entry.until);
}

}  // namespace tbs::sched
