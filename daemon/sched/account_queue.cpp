#include "daemon/sched/account_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/sched/ageing.h"

namespace tbs::sched {
namespace {

// Contexts whose list is kept though nothing waits, because they come again and again.
constexpr std::size_t kKept = 16;

}  // namespace

void move_commands(std::vector<AccountQueue::Waiting>& waiting, std::vector<SharedCommand>& to,
                   std::optional<RequestId> only) {
  std::erase_if(waiting, [&](AccountQueue::Waiting& one) {
    if (only && one.command->request() != *only) return false;
    to.push_back(std::move(one.command));
    return true;
  });
}

void AccountQueue::push(Waiting waiting, TimePoint now) {
  drop_empty_levels(levels_, now);
  const ClientCommand& command = *waiting.command;
  const auto [entry, created] = levels_.try_emplace(command.priority());
  Level& level = entry->second;
  if (created) level.priority = command.priority();
  if (level.turns.empty()) level.served = waiting.since;
  auto& own = level.waiting[command.context()];
  if (own.empty()) level.turns.join(command.context());
  own.push_back(std::move(waiting));
  ++size_;
}

// Levels are passed over while another one has the account's turn, not while other accounts have
// theirs.
AccountQueue::Level& AccountQueue::due() {
  AgeingChoice<Levels::iterator> choice;
  for (auto level = levels_.begin(); level != levels_.end(); ++level) {
    if (level->second.turns.empty()) continue;
    const Duration passed_over =
        last_served_ ? *last_served_ - level->second.served : Duration::zero();
    choice.offer(level, level->first, std::max(passed_over, Duration::zero()));
  }
  return choice.chosen()->second;
}

AccountQueue::Waiting AccountQueue::take(Level& level, ContextId context, TimePoint now) {
  level.served = now;
  last_served_ = now;
  last_priority_ = level.priority;
  last_context_ = context;
  level.turns.serve(context);
  auto& own = level.waiting.at(context);
  Waiting taken = std::move(own.front());
  own.erase(own.begin());
  --size_;
  if (own.empty()) leave(level, context);
  return taken;
}

void AccountQueue::served_until(TimePoint now) {
  last_served_ = now;
  const auto level = levels_.find(last_priority_);
  if (level != levels_.end()) level->second.served = now;
}

void AccountQueue::charge(Duration took) {
  const auto level = levels_.find(last_priority_);
  if (level != levels_.end()) level->second.turns.charge(last_context_, took);
}

std::vector<SharedCommand> AccountQueue::remove(ContextId context, std::optional<RequestId> only) {
  std::vector<SharedCommand> removed;
  for (auto& [priority, level] : levels_) {
    const auto own = level.waiting.find(context);
    if (own == level.waiting.end() || own->second.empty()) continue;
    move_commands(own->second, removed, only);
    if (own->second.empty()) leave(level, context);
  }
  size_ -= removed.size();
  return removed;
}

std::vector<AccountQueue::Waiting> AccountQueue::take_out(ContextId context) {
  std::vector<Waiting> taken;
  for (auto& [priority, level] : levels_) {
    const auto own = level.waiting.find(context);
    if (own == level.waiting.end() || own->second.empty()) continue;
    std::ranges::move(own->second, std::back_inserter(taken));
    own->second.clear();
    leave(level, context);
  }
  size_ -= taken.size();
  return taken;
}

std::vector<SharedCommand> AccountQueue::clear() {
  std::vector<SharedCommand> removed;
  for (auto& [priority, level] : levels_) {
    for (auto& [context, waiting] : level.waiting) {
      move_commands(waiting, removed);
    }
  }
  levels_.clear();
  size_ = 0;
  return removed;
}

std::optional<AccountQueue::OfContext> AccountQueue::waiting_of(ContextId context) const {
  std::optional<OfContext> found;
  for (const auto& [priority, level] : levels_) {
    const auto own = level.waiting.find(context);
    if (own == level.waiting.end() || own->second.empty()) continue;
    const TimePoint since = own->second.front().since;
    found = {.priority = priority, .since = found ? std::min(found->since, since) : since};
  }
  return found;
}

std::uint32_t AccountQueue::top() const {
  const auto waits = [](const auto& level) { return !level.second.turns.empty(); };
  return std::find_if(levels_.rbegin(), levels_.rend(), waits)->first;
}

bool AccountQueue::forgotten(TimePoint now) {
  drop_empty_levels(levels_, now);
  return levels_.empty();
}

void AccountQueue::leave(Level& level, ContextId context) {
  level.turns.leave(context);
  if (level.waiting.size() > kKept) level.waiting.erase(context);
}

}  // namespace tbs::sched
