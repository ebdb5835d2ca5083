#include "daemon/sched/run_queue.h"

#include <algorithm>
#include <utility>

namespace tbs::sched {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

// Priority and waiting time on one scale: microseconds of waiting that lift as far.
std::int64_t rank(std::uint32_t priority, TimePoint served, TimePoint now) {
  constexpr std::int64_t kMicrosecondsPerStep = 1'000'000 / kLiftPerSecond;
  return std::int64_t{priority} * kMicrosecondsPerStep +
         duration_cast<microseconds>(now - served).count();
}

// Contexts in whose commands one choice looks: bounds the work for a queue of thousands.
constexpr std::size_t kMaxLookedAt = 256;

}  // namespace

void RunQueue::push(Request request, TimePoint now) {
  const auto [entry, created] = levels_.try_emplace(request.priority);
  Level& level = entry->second;
  if (created) level.served = now;
  auto& waiting = level.waiting[request.context];
  if (waiting.empty()) level.turn.push_back(request.context);
  waiting.push_back(std::move(request));
  ++size_;
}

std::optional<Request> RunQueue::pop(TimePoint now, Duration slice, const Loaded& loaded) {
  // The level of the command that has just left the TPM was being served until now.
  if (last_served_) {
    const auto served = levels_.find(*last_served_);
    if (served != levels_.end()) served->second.served = now;
  }
  if (levels_.empty()) return std::nullopt;

  const auto chosen = choose(now);
  Level& level = chosen->second;
  level.served = now;
  last_served_ = chosen->first;
  const auto place =
      level.turn.begin() + static_cast<std::ptrdiff_t>(choose_turn(level, now, slice, loaded));
  const ContextId context = *place;
  level.turn.erase(place);
  const auto own = level.waiting.find(context);
  Request request = std::move(own->second.front());
  own->second.pop_front();
  if (own->second.empty()) {
    level.waiting.erase(own);
  } else {
    level.turn.push_back(context);
  }
  erase_if_empty(chosen);
  --size_;
  return request;
}

// The place in the level's turn that is served now.
std::size_t RunQueue::choose_turn(Level& level, TimePoint now, Duration slice,
                                  const Loaded& loaded) {
  const auto is_loaded = [&](ContextId context) {
    return loaded(level.waiting.at(context).front());
  };
  if (slice == Duration::zero() || level.turn.size() < 2 || is_loaded(level.turn.front())) {
    level.passed_over.reset();
    return 0;
  }
  if (!level.passed_over) level.passed_over = now;
  if (now - *level.passed_over < slice) {
    const std::size_t looked_at = std::min(level.turn.size(), kMaxLookedAt);
    for (std::size_t place = 1; place < looked_at; ++place) {
      if (is_loaded(level.turn[place])) return place;
    }
  }
  level.passed_over.reset();
  return 0;
}

std::vector<Request> RunQueue::remove(ContextId context) {
  std::vector<Request> removed;
  for (auto level = levels_.begin(); level != levels_.end();) {
    const auto current = level++;
    const auto own = current->second.waiting.find(context);
    if (own == current->second.waiting.end()) continue;
    std::ranges::move(own->second, std::back_inserter(removed));
    current->second.waiting.erase(own);
    std::erase(current->second.turn, context);
    erase_if_empty(current);
  }
  size_ -= removed.size();
  return removed;
}

std::vector<Request> RunQueue::clear() {
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

RunQueue::Levels::iterator RunQueue::choose(TimePoint now) {
  auto best = levels_.begin();
  auto longest = levels_.begin();
  for (auto level = levels_.begin(); level != levels_.end(); ++level) {
    // Ascending priority: on a tie the higher one wins.
    if (rank(level->first, level->second.served, now) >=
        rank(best->first, best->second.served, now)) {
      best = level;
    }
    if (level->second.served < longest->second.served) longest = level;
  }
  return now - longest->second.served > kStarvationLimit ? longest : best;
}

void RunQueue::erase_if_empty(Levels::iterator level) {
  if (level->second.turn.empty()) levels_.erase(level);
}

}  // namespace tbs::sched
