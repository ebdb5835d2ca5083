#pragma once

// By when a peer that has connected must have said hello: one that says nothing holds a place that
// others could use.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "daemon/base/clock.h"

namespace tbs::server {

inline constexpr std::chrono::seconds kHandshakeDeadline{5};

class HandshakeDeadlines {
 public:
  void start(std::uint64_t id, TimePoint now) { deadlines_.emplace(id, now + kHandshakeDeadline); }
  // It has said hello, or gone.
  void end(std::uint64_t id) { deadlines_.erase(id); }

  // Numbers ascend with time, so the first one is the next to be over.
  [[nodiscard]] std::optional<TimePoint> next() const {
    return deadlines_.empty() ? std::nullopt : std::optional(deadlines_.begin()->second);
  }
  std::vector<std::uint64_t> take_missed(TimePoint now) {
    std::vector<std::uint64_t> missed;
    while (!deadlines_.empty() && deadlines_.begin()->second <= now) {
      missed.push_back(deadlines_.begin()->first);
      deadlines_.erase(deadlines_.begin());
    }
    return missed;
  }

 private:
  std::map<std::uint64_t, TimePoint> deadlines_;
};

}  // namespace tbs::server
