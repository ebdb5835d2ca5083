#include "daemon/server/event_history.h"

#include <algorithm>
#include <utility>

namespace tbs::server {

void EventHistory::add(std::uint64_t microseconds, PastEvent event) {
  newest_ = std::max(microseconds, newest_ + 1);
  event.number = newest_;
  if (events_.size() == most_) {
    newest_lost_ = events_.front().number;
    events_.pop_front();
  }
  events_.push_back(std::move(event));
  added_();
}

}  // namespace tbs::server
