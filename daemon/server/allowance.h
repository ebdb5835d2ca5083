#pragma once

// How much of the event loop's time each account may have, whether or not others want it: a part of
// all time, and a little at once. (A leaky bucket: the generic cell rate algorithm.)

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <unordered_map>

#include "daemon/base/clock.h"
#include "daemon/base/ids.h"

namespace tbs::server {

class Allowance {
 public:
  // Half of one processor. A TPM command of a client takes so little of the loop that no TPM is
  // fast enough for it to come near that.
  static constexpr int kPart = 2;
  // Long enough for every listing there is, at once.
  static constexpr std::chrono::milliseconds kAtOnce{4};

  void spend(AccountId account, Duration took, TimePoint now) {
    TimePoint& paid_until = paid_until_[account];
    paid_until = std::max(paid_until, now) + took * kPart;
    if (paid_until_.size() > bound_) forget_some(now);
  }

  // When it may have more; nothing when that is now.
  [[nodiscard]] std::optional<TimePoint> free_at(AccountId account, TimePoint now) const {
    const auto entry = paid_until_.find(account);
    if (entry == paid_until_.end() || entry->second - now <= kAtOnce) return std::nullopt;
    return entry->second - kAtOnce;
  }

  [[nodiscard]] std::size_t size() const { return paid_until_.size(); }

 private:
  static constexpr std::size_t kLeastBound = 64;

  // Those who owe nothing.
  void forget_some(TimePoint now) {
    std::erase_if(paid_until_, [now](const auto& entry) { return entry.second <= now; });
    bound_ = std::max(kLeastBound, paid_until_.size() * 2);
  }

  std::unordered_map<AccountId, TimePoint> paid_until_;
  std::size_t bound_ = kLeastBound;
};

}  // namespace tbs::server
