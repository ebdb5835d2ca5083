#pragma once

// Requests about the lockout guard.

#include <cstdint>

#include "daemon/server/audit.h"
#include "daemon/server/client.h"
#include "daemon/server/command_screening.h"
#include "daemon/server/environment.h"
#include "daemon/server/handled.h"
#include "proto/message.h"

namespace tbs::server {

class LockoutRequests {
 public:
  // All must outlive it.
  LockoutRequests(CommandScreening& screening, const Environment& environment, Audit& audit)
      : screening_(screening), environment_(environment), audit_(audit) {}

  Handled status(Client& client, std::uint64_t request_id, const proto::LockoutStatus&);
  Handled reset(Client& client, std::uint64_t request_id, const proto::LockoutReset& request);

 private:
  void forget(const Client& client, std::uint32_t uid);

  CommandScreening& screening_;
  const Environment& environment_;
  Audit& audit_;
};

}  // namespace tbs::server
