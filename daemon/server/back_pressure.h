#pragma once

// Which clients are read from, by what they and others of their user have waiting.

#include <cstddef>
#include <cstdint>

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
  void set_limits(std::size_t per_user, std::size_t total,
                  std::unordered_map<UserId, std::size_t> tenants = {}) {
    backlog_.set_limits(per_user, total, std::move(tenants));
  }

  // What the client has waiting has changed.
  void update(const Client& client);
  // The client, which is no longer among the others, has nothing waiting any more.
  void forget(const Client& client);

  [[nodiscard]] bool may_read(const Client& client) const {
    return backlog_.may_read(client.id, client.peer.user);
  }
  [[nodiscard]] const policy::Backlog& backlog() const { return backlog_; }

 private:
  void resume_later(UserId user);
  void resume(UserId user);

  Clients& clients_;
  Environment& environment_;
  Audit& audit_;
  policy::Backlog backlog_;
  std::uint64_t last_resumed_ = 0;
};

}  // namespace tbs::server
