#include "daemon/base/rate_limit.h"

#include <algorithm>
#include <utility>

namespace tbs {

RateLimit::Permit RateLimit::ask(std::uint64_t kind, TimePoint now) {
  return ask(allowance_of(kind, now), now);
}

// Each event moves the time at which the whole burst is there again by one interval; it may be a
// burst of intervals away at most.
RateLimit::Permit RateLimit::ask(Allowance& allowance, TimePoint now) const {
  const TimePoint full_at = std::max(allowance.full_at, now) + options_.interval;
  if (full_at - now > options_.burst * options_.interval) {
    ++allowance.left_out;
    return {};
  }
  allowance.full_at = full_at;
  return {.pass = true, .left_out = std::exchange(allowance.left_out, 0)};
}

RateLimit::Allowance& RateLimit::allowance_of(std::uint64_t kind, TimePoint now) {
  const auto known = kinds_.find(kind);
  if (known != kinds_.end()) return known->second;
  if (kinds_.size() >= options_.kinds) {
    std::erase_if(kinds_, [&](const auto& entry) {
      return entry.second.full_at <= now && entry.second.left_out == 0;
    });
  }
  if (kinds_.size() >= options_.kinds) return shared_;
  return kinds_[kind];
}

}  // namespace tbs
