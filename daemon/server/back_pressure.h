#pragma once

// Which clients are read from, by what they and others of their account have waiting.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "daemon/base/ids.h"
#include "daemon/policy/backlog.h"
#include "daemon/server/audit.h"
#include "daemon/server/clients.h"
#include "daemon/server/environment.h"

namespace tbs::server {

class BackPressure {
 public:
  // All must outlive it.
  BackPressure(Clients& clients, Environment& environment, Audit& audit)
      : clients_(clients), environment_(environment), audit_(audit) {}

  // Bytes; `tenants` are those who have less than a user.
  void set_limits(std::size_t per_account, std::size_t total,
                  std::unordered_map<AccountId, std::size_t> tenants = {}) {
    backlog_.set_limits(per_account, total, std::move(tenants));
  }

  // What is kept for the client has changed.
  void update(Client& client);
  // The client, which is no longer among the others, has nothing waiting any more.
  void forget(Client& client);

  // Whether to read from it. One that has nothing waiting always is, so that every context gets on;
  // who is not is told when that changes.
  [[nodiscard]] bool may_read(Client& client);
  [[nodiscard]] const policy::Backlog& backlog() const { return backlog_; }
  // Clients that are not read from.
  [[nodiscard]] std::size_t held_up() const;

 private:
  void resume_later(AccountId account);
  void resume(AccountId account);

  Clients& clients_;
  Environment& environment_;
  Audit& audit_;
  policy::Backlog backlog_;
  // Those who are there, in the order in which they are to go on.
  std::unordered_map<AccountId, std::deque<std::uint64_t>> held_up_;
};

}  // namespace tbs::server
