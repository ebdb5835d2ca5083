#pragma once

// How many of something each of many has, and who has most: known at any time, without a look at
// all of them.

#include <cstddef>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace tbs {

// The most that anybody has, and who; nobody while all have nothing.
template <typename Id>
struct Peak {
  std::size_t amount = 0;
  std::optional<Id> who;

  void see(std::size_t of_one, Id one) {
    if (of_one <= amount) return;
    amount = of_one;
    who = one;
  }
};

template <typename Id>
class Tally {
 public:
  void add(Id id) { change(id, 1); }
  // There must be one.
  void remove(Id id) { change(id, -1); }

  [[nodiscard]] std::size_t of(Id id) const {
    const auto entry = counts_.find(id);
    return entry == counts_.end() ? 0 : entry->second;
  }
  [[nodiscard]] std::size_t total() const { return total_; }
  // How many have any.
  [[nodiscard]] std::size_t size() const { return counts_.size(); }
  // Calls `tell` for the first `most` of those who have most, with what each has.
  template <typename Tell>
  void for_most(std::size_t most, const Tell& tell) const {
    for (auto rank = ranks_.rbegin(); rank != ranks_.rend() && most > 0; ++rank, --most) {
      tell(rank->second, rank->first);
    }
  }
  [[nodiscard]] Peak<Id> peak() const {
    if (ranks_.empty()) return {};
    return {.amount = ranks_.rbegin()->first, .who = ranks_.rbegin()->second};
  }

 private:
  void change(Id id, int by) {
    const auto entry = counts_.try_emplace(id).first;
    auto rank = ranks_.extract({entry->second, id});
    entry->second += static_cast<std::size_t>(by);
    total_ += static_cast<std::size_t>(by);
    if (entry->second == 0) {
      counts_.erase(entry);
    } else if (rank.empty()) {
      ranks_.emplace(entry->second, id);
    } else {
      rank.value().first = entry->second;
      ranks_.insert(std::move(rank));
    }
  }

  std::unordered_map<Id, std::size_t> counts_;  // none is 0
  std::set<std::pair<std::size_t, Id>> ranks_;
  std::size_t total_ = 0;
};

}  // namespace tbs
