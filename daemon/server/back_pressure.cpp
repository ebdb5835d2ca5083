#include "daemon/server/back_pressure.h"

#include <memory>
#include <utility>
#include <vector>

namespace tbs::server {

void BackPressure::update(const Client& client) {
  const UserId user = client.peer.user;
  const bool was_full = backlog_.full(user);
  backlog_.set(client.id, user, client.waiting_bytes());
  const bool full = backlog_.full(user);
  if (full && !was_full) audit_.held_up(client, backlog_.of(user));
  if (was_full && !full) resume_later(user);
}

void BackPressure::forget(const Client& client) {
  const UserId user = client.peer.user;
  const bool was_full = backlog_.full(user);
  backlog_.erase(client.id);
  if (was_full && !backlog_.full(user)) resume_later(user);
}

// Whoever calls is not ready to see clients come and go under its hands.
void BackPressure::resume_later(UserId user) {
  environment_.post([this, user] { resume(user); });
}

// In turn, so that the same connections are not always the first to fill up what has become free.
void BackPressure::resume(UserId user) {
  std::vector<std::pair<std::uint64_t, std::shared_ptr<ClientLink>>> held_up;
  const auto collect = [&](auto from, auto to) {
    for (; from != to; ++from) {
      if (from->second.peer.user == user) held_up.emplace_back(from->first, from->second.link);
    }
  };
  const auto middle = clients_.all().upper_bound(last_resumed_);
  collect(middle, clients_.all().end());
  collect(clients_.all().begin(), middle);
  for (const auto& [id, link] : held_up) {
    if (backlog_.full(user)) break;
    last_resumed_ = id;
    link->resume();
  }
}

}  // namespace tbs::server
