#pragma once

// How long the TPM has worked for each open context, with the loading and evicting around its
// commands. As other counters it begins anew with each process.

#include <unordered_map>

#include "daemon/base/clock.h"
#include "daemon/base/ids.h"

namespace tbs::sched {

class ContextTimes {
 public:
  void add(ContextId context, Duration took) { times_[context] += took; }
  void forget(ContextId context) { times_.erase(context); }
  [[nodiscard]] Duration of(ContextId context) const {
    const auto entry = times_.find(context);
    return entry == times_.end() ? Duration::zero() : entry->second;
  }
  [[nodiscard]] std::size_t size() const { return times_.size(); }

 private:
  std::unordered_map<ContextId, Duration> times_;
};

}  // namespace tbs::sched
