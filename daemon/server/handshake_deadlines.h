#pragma once

// By when a peer that has connected must have said hello: one that says nothing holds a place that
// others could use.

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/base/clock.h"

namespace tbs::server {

inline constexpr std::chrono::seconds kHandshakeDeadline{5};

class HandshakeDeadlines {
 public:
  // Anew, when it was told before.
  void start(std::uint64_t id, TimePoint now) {
    end(id);
    by_id_[id] = now + kHandshakeDeadline;
    by_time_.emplace(now + kHandshakeDeadline, id);
  }
  // It has said hello, or gone.
  void end(std::uint64_t id) {
    const auto entry = by_id_.find(id);
    if (entry == by_id_.end()) return;
    by_time_.erase({entry->second, id});
    by_id_.erase(entry);
  }

  [[nodiscard]] std::optional<TimePoint> next() const {
    return by_time_.empty() ? std::nullopt : std::optional(by_time_.begin()->first);
  }
  std::vector<std::uint64_t> take_missed(TimePoint now) {
    std::vector<std::uint64_t> missed;
    while (!by_time_.empty() && by_time_.begin()->first <= now) {
      missed.push_back(by_time_.begin()->second);
      end(missed.back());
    }
    return missed;
  }

 private:
  std::unordered_map<std::uint64_t, TimePoint> by_id_;
  std::set<std::pair<TimePoint, std::uint64_t>> by_time_;
};

}  // namespace tbs::server
