#pragma once

// All clients by number. Numbers ascend, so that listings go through the contexts page by page. A
// client is looked up several times for each command of its own.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/server/client.h"

namespace tbs::server {

class Clients {
 public:
  using Table = std::unordered_map<std::uint64_t, Client>;

  Client& add(std::uint64_t id, std::shared_ptr<ClientLink> link, Peer peer) {
    Client& client = table_[id];
    client.id = id;
    client.link = std::move(link);
    client.peer = std::move(peer);
    return client;
  }
  // Those who have come first, first.
  [[nodiscard]] std::vector<std::uint64_t> ids() const {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, client] : table_) ids.push_back(id);
    std::ranges::sort(ids);
    return ids;
  }
  // Null when it has gone.
  [[nodiscard]] Client* find(std::uint64_t id) {
    const auto entry = table_.find(id);
    return entry == table_.end() ? nullptr : &entry->second;
  }
  [[nodiscard]] const Client* find(std::uint64_t id) const {
    const auto entry = table_.find(id);
    return entry == table_.end() ? nullptr : &entry->second;
  }
  // It is a context from now on.
  void opened(Client& client) { contexts_.emplace(client.id, &client); }
  std::optional<Client> take(std::uint64_t id) {
    contexts_.erase(id);
    auto node = table_.extract(id);
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped());
  }

  [[nodiscard]] Table& all() { return table_; }
  [[nodiscard]] const Table& all() const { return table_; }
  // Those of them that are contexts.
  [[nodiscard]] const std::map<std::uint64_t, const Client*>& contexts() const { return contexts_; }

 private:
  Table table_;
  std::map<std::uint64_t, const Client*> contexts_;
};

}  // namespace tbs::server
