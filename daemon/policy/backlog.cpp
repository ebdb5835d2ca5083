#include "daemon/policy/backlog.h"

namespace tbs::policy {

void Backlog::set(std::uint64_t connection, UserId user, std::size_t bytes) {
  erase(connection);
  if (bytes == 0) return;
  connections_[connection] = {.user = user, .bytes = bytes};
  users_[user] += bytes;
  sum_ += bytes;
}

void Backlog::erase(std::uint64_t connection) {
  const auto entry = connections_.find(connection);
  if (entry == connections_.end()) return;
  const auto user = users_.find(entry->second.user);
  user->second -= entry->second.bytes;
  sum_ -= entry->second.bytes;
  if (user->second == 0) users_.erase(user);
  connections_.erase(entry);
}

bool Backlog::may_read(std::uint64_t connection, UserId user) const {
  return !connections_.contains(connection) || !full(user);
}

bool Backlog::full(UserId user) const {
  const std::size_t own = of(user);
  const auto narrower = narrower_.find(user);
  if (own >= (narrower == narrower_.end() ? per_user_ : narrower->second)) return true;
  return sum_ >= total_ && own >= total_ / users_.size();
}

std::size_t Backlog::of(UserId user) const {
  const auto entry = users_.find(user);
  return entry == users_.end() ? 0 : entry->second;
}

}  // namespace tbs::policy
