#include "daemon/host/store_queue.h"

#include <algorithm>

#include "daemon/host/left_name.h"

namespace tbs::host {

StoreQueue::StoreQueue(Limits limits)
    : most_clients_(limits.clients),
      pace_({.burst = limits.burst, .interval = limits.interval, .kinds = 1}) {}

bool StoreQueue::is_clients(const std::string& name) {
  return name.starts_with(kClientPrefix);
}

void StoreQueue::already_kept(const std::string& name) {
  if (!names_.try_emplace(name, Kept{.sent = true, .paced = {}}).second) return;
  if (is_clients(name)) ++clients_;
}

void StoreQueue::keep(const std::string& name, int descriptor) {
  drop(name);
  Kept kept;
  Message message{.kind = Message::Kind::Store, .name = name, .descriptor = descriptor};
  if (is_clients(name)) {
    kept.paced = paced_.insert(paced_.end(), std::move(message));
  } else {
    first_.push_back(std::move(message));
  }
  names_.emplace(name, kept);
}

bool StoreQueue::has_sent(const std::string& name) const {
  const auto known = names_.find(name);
  return known != names_.end() && known->second.sent;
}

bool StoreQueue::drop(const std::string& name) {
  const auto known = names_.find(name);
  if (known == names_.end()) return false;
  const Kept kept = known->second;
  names_.erase(known);
  if (kept.sent) {
    first_.push_back({.kind = Message::Kind::Remove, .name = name});
    return true;
  }
  if (kept.paced) {
    paced_.erase(*kept.paced);
  } else {
    std::erase_if(first_, [&](const Message& message) {
      return message.kind == Message::Kind::Store && message.name == name;
    });
  }
  return false;
}

void StoreQueue::barrier(std::uint64_t number) {
  first_.push_back({.kind = Message::Kind::Barrier, .name = {}, .barrier = number});
}

const StoreQueue::Message* StoreQueue::next(TimePoint now) {
  if (!first_.empty()) return &first_.front();
  if (paced_.empty() || clients_ >= most_clients_) return nullptr;
  may_go_ = may_go_ || pace_.ask(0, now).pass;
  return may_go_ ? &paced_.front() : nullptr;
}

void StoreQueue::take_sent() {
  if (!first_.empty()) {
    const Message& message = first_.front();
    if (message.kind == Message::Kind::Store) names_[message.name].sent = true;
    if (message.kind == Message::Kind::Remove && is_clients(message.name)) --clients_;
    first_.pop_front();
    return;
  }
  may_go_ = false;
  ++clients_;
  names_[paced_.front().name] = Kept{.sent = true, .paced = {}};
  paced_.pop_front();
}

bool StoreQueue::waiting() const {
  return !first_.empty() || (!paced_.empty() && clients_ < most_clients_);
}

}  // namespace tbs::host
