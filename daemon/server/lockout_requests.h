#pragma once

// Requests about the lockout guard.

#include <cstdint>

#include "daemon/policy/authorization_guard.h"
#include "daemon/server/audit.h"
#include "daemon/server/client.h"
#include "daemon/server/engine_settings.h"
#include "daemon/server/handled.h"
#include "proto/message.h"

namespace tbs::server {

class LockoutRequests {
 public:
  // All must outlive it.
  LockoutRequests(const policy::AuthorizationGuard& guard, EngineSettings& settings, Audit& audit)
      : guard_(guard), settings_(settings), audit_(audit) {}

  Handled status(Client& client, std::uint64_t request_id, const proto::LockoutStatus&);
  Handled reset(Client& client, std::uint64_t request_id, const proto::LockoutReset& request);

 private:
  void forget(const Client& client, std::uint32_t uid);

  const policy::AuthorizationGuard& guard_;
  EngineSettings& settings_;
  Audit& audit_;
};

}  // namespace tbs::server
