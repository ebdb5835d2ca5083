#include "daemon/server/back_pressure.h"

namespace tbs::server {

void BackPressure::update(Client& client) {
  const std::size_t kept = client.kept_bytes();
  if (kept == client.counted_bytes) return;
  const AccountId account = client.account();
  const auto [was_full, is_full] = backlog_.change(account, client.counted_bytes, kept);
  client.counted_bytes = kept;
  if (is_full && !was_full) audit_.held_up(client, backlog_.of(account));
  if (was_full && !is_full) resume_later(account);
}

void BackPressure::forget(Client& client) {
  const AccountId account = client.account();
  const auto [was_full, is_full] = backlog_.change(account, client.counted_bytes, 0);
  client.counted_bytes = 0;
  if (client.held_up) {
    const auto waiting = held_up_.find(account);
    std::erase(waiting->second, client.id);
    if (waiting->second.empty()) held_up_.erase(waiting);
  }
  if (was_full && !is_full) resume_later(account);
}

std::size_t BackPressure::held_up() const {
  std::size_t clients = 0;
  for (const auto& [account, waiting] : held_up_) clients += waiting.size();
  return clients;
}

bool BackPressure::may_read(Client& client) {
  if (client.is_idle() || !backlog_.full(client.account())) return true;
  if (!client.held_up) held_up_[client.account()].push_back(client.id);
  client.held_up = true;
  return false;
}

// Whoever calls is not ready to see clients come and go under its hands.
void BackPressure::resume_later(AccountId account) {
  if (held_up_.contains(account)) {
    environment_.post([this, account] { resume(account); });
  }
}

void BackPressure::resume(AccountId account) {
  while (!backlog_.full(account)) {
    const auto waiting = held_up_.find(account);
    if (waiting == held_up_.end()) return;
    const std::uint64_t id = waiting->second.front();
    waiting->second.pop_front();
    if (waiting->second.empty()) held_up_.erase(waiting);
    Client* const client = clients_.find(id);
    client->held_up = false;
    const auto link = client->link;
    link->resume();
  }
}

}  // namespace tbs::server
